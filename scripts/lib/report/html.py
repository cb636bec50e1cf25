"""HTML by small functions. Every text is escaped here and nowhere else."""

import base64
import html
import re

from paths import shown

SHORT = 16  # a cell of so many characters is not broken


class Html(str):
    """Text that is HTML already."""


def escape(text):
    return text if isinstance(text, Html) else Html(html.escape(shown(str(text))))


def element(tag, *content, **attributes):
    """<tag class="…">content</tag>; class_ stands for class, aria_label for aria-label."""
    named = {name.rstrip("_").replace("_", "-"): html.escape(shown(str(value))) for name, value in attributes.items()}
    words = "".join(f' {name}="{value}"' for name, value in named.items())
    return Html(f"<{tag}{words}>{''.join(escape(c) for c in content)}</{tag}>")


def join(parts):
    return Html("".join(escape(part) for part in parts))


class Row(list):
    """A row of a table with a class of its own."""

    def __init__(self, cells, class_):
        super().__init__(cells)
        self.class_ = class_


def table(head, rows, numbers=(), caption=None, first_column=False):
    """Cells are texts; `numbers`: indices of the columns that are set to the right. `first_column` names the rows and
    stays in view when the table is scrolled."""

    def kind(i, cell):
        if i in numbers:
            return "number"
        return "short" if len(cell) <= SHORT else "text"

    def line(tag, cells):
        made = [element(tag, whole_errors(cell), class_=kind(i, cell)) for i, cell in enumerate(cells)]
        if first_column and tag == "td":
            made[0] = element("th", cells[0], scope="row")
        attributes = {"class_": cells.class_} if isinstance(cells, Row) else {}
        return element("tr", *made, **attributes)

    parts = [element("thead", line("th", head))] if head else []
    parts.append(element("tbody", *(line("td", row) for row in rows)))
    made = element("table", *parts, class_="named") if first_column else element("table", *parts)
    made = element("div", made, class_="wide", tabindex="0")
    return join([element("p", caption, class_="soft"), made]) if caption else made


def whole_errors(cell):
    """A cell that may be broken before its ±, but not within what follows."""
    return Html(escape(cell).replace("± ", "±\u00a0").replace(" (se)", "\u00a0(se)"))


def pairs(rows):
    """Names and values, one beneath the other on a narrow screen."""
    return element("dl", *(join([element("dt", name), element("dd", value)]) for name, value in rows))


def anchor(name):
    return "part-" + (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unnamed")


def breakable(name):
    """A name that may be broken after an underscore."""
    return Html(escape(name).replace("_", "_<wbr>"))


def navigation(names):
    """Links to the parts of the page, that stay in view."""
    return element("nav", *(element("a", name, href=f"#{anchor(name)}") for name in names), aria_label="experiments")


def page_part(name, *content):
    return element("section", *content, id=anchor(name))


def picture(path, words):
    data = base64.b64encode(path.read_bytes()).decode()
    return element(
        "figure",
        Html(f'<img alt="{html.escape(words)}" src="data:image/png;base64,{data}">'),
        element("figcaption", words),
    )


def folded(summary, *content, opened=False, class_="more"):
    attributes = {"open": ""} if opened else {}
    return element("details", element("summary", summary), *content, class_=class_, **attributes)


def page(title, *body):
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>{''.join(escape(part) for part in body)}</main></body></html>\n"
    )


STYLE = """
:root { --ink: #1a1a1a; --soft: #5a5a5a; --line: #d8d8d8; --back: #f6f6f4; --blue: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: white; font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif;
  overflow-wrap: break-word; }
main { max-width: 76rem; margin: 0 auto; padding: 1rem; }
nav { position: sticky; top: 0; z-index: 2; display: flex; gap: 1.3rem; overflow-x: auto; background: white;
  border-bottom: 1px solid var(--line); padding: .55rem 0; }
nav a { white-space: nowrap; padding: .2rem 0; }
a { color: var(--blue); }
section { scroll-margin-top: 3rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1rem 0 .3rem; }
h2 { font-size: 1.35rem; margin: 2.4rem 0 .4rem; padding-top: .8rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1.12rem; margin: 1.9rem 0 .4rem; }
h4 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p { margin: .5rem 0; max-width: 44rem; }
.soft, figcaption { color: var(--soft); }
.headline { font-size: 1.5rem; margin: .4rem 0; }
.headline small { font-size: .95rem; color: var(--soft); }
.status { display: inline-block; padding: 0 .55em; border: 1px solid currentColor; border-radius: 1em; font-size: .85rem;
  white-space: nowrap; }
.status.done { color: #00664a; } .status.running { color: var(--blue); } 
.status.interrupted, .status.skipped { color: #8a5a00; }
.status.failed, .status.diverged, .status.out_of_memory, .status.unreadable { color: #a33f00; }
.error { border-left: 4px solid #d55e00; background: #fdf3ec; padding: .5rem .8rem; margin: .8rem 0; max-width: none;
  white-space: pre-wrap; }
.wide { overflow-x: auto; margin: .6rem 0;  /* a shadow at the side towards which there is more */
  background: linear-gradient(to right, white 30%, #fff0) left / 3rem 100% no-repeat local,
    linear-gradient(to left, white 30%, #fff0) right / 3rem 100% no-repeat local,
    linear-gradient(to right, #0004, #0000) left / 1rem 100% no-repeat scroll,
    linear-gradient(to left, #0004, #0000) right / 1rem 100% no-repeat scroll; }
.wide::-webkit-scrollbar { height: .6rem; } .wide::-webkit-scrollbar-track { background: var(--back); }
.wide::-webkit-scrollbar-thumb { background: #8a8a8a; border-radius: .3rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .28rem 1rem .28rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; min-width: 4.5rem; border-bottom: 1.5px solid var(--ink); vertical-align: bottom; }
th:last-child, td:last-child { padding-right: 0; }
table.named th:first-child { position: sticky; left: 0; z-index: 1; background: white; padding-right: .8rem; }
tbody th { font-weight: 400; border-bottom: 1px solid var(--line); vertical-align: top;
  min-width: 9rem; max-width: 20rem;
  overflow-wrap: anywhere; }
tr.floor > *, tr.published > * { color: var(--soft); } tr.published th, tr.published td { font-style: italic; }
.counts { line-height: 2; }
td.text { min-width: 11rem; overflow-wrap: anywhere; } .number { text-align: right; } td.number, td.short { white-space: nowrap; }
dl { display: grid; grid-template-columns: 11.5rem minmax(0, 1fr); gap: .25rem 1rem; margin: .6rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
pre, code { font: .85rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
pre { background: var(--back); padding: .7rem; white-space: pre-wrap; }
figure { margin: 1rem 0; } img { width: 100%; max-width: 44rem; height: auto; display: block; }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--blue); }
details.run > summary { font-weight: 600; color: var(--ink); padding: .3rem 0; }
@media (max-width: 36rem) {
  body { font-size: 15px; } main { padding: .7rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: .5rem; }
  th, td { padding-right: .7rem; } table { font-size: .92em; }
  table.named th:first-child { max-width: 8.5rem; min-width: 6.5rem; }
  tbody th { min-width: 6.5rem; }
  th { min-width: 3.5rem; } td.text { min-width: 7rem; } td.number, td.short { white-space: normal; }
}
@media print {
  :root { --ink: black; --soft: #444; --blue: black; }
  nav { display: none; } main { max-width: none; padding: 0; } body { font-size: 10pt; }
  section + section { break-before: page; }
  figure, tr, .error { break-inside: avoid; } h2, h3, h4 { break-after: avoid; }
  table { font-size: 8.5pt; } th, td { padding-right: .5rem; } td.short { white-space: normal; }
  .wide { overflow: visible; } table.named th:first-child { position: static; }
  img { max-width: 14cm; max-height: 16cm; object-fit: contain; object-position: left; }
}
"""
