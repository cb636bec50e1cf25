"""HTML by small functions. Every text is escaped here and nowhere else."""

import base64
import html


SHORT = 16  # a cell of so many characters is not broken


class Html(str):
    """Text that is HTML already."""


def escape(text):
    return text if isinstance(text, Html) else Html(html.escape(str(text)))


def element(tag, *content, **attributes):
    """<tag class="…">content</tag>; class_ stands for class."""
    words = "".join(f' {name.rstrip("_")}="{html.escape(str(value))}"' for name, value in attributes.items())
    return Html(f"<{tag}{words}>{''.join(escape(c) for c in content)}</{tag}>")


def join(parts):
    return Html("".join(escape(part) for part in parts))


def table(head, rows, numbers=(), caption=None):
    """Cells are texts; `numbers`: indices of the columns that are set to the right."""

    def kind(i, cell):
        if i in numbers:
            return "number"
        return "short" if len(cell) <= SHORT else "text"

    def line(tag, cells):
        return element("tr", *(element(tag, cell, class_=kind(i, cell)) for i, cell in enumerate(cells)))

    parts = [element("thead", line("th", head))] if head else []
    parts.append(element("tbody", *(line("td", row) for row in rows)))
    made = element("div", element("table", *parts), class_="wide")
    return join([element("p", caption, class_="soft"), made]) if caption else made


def pairs(rows):
    """Names and values, one beneath the other on a narrow screen."""
    return element("dl", *(join([element("dt", name), element("dd", value)]) for name, value in rows))


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
body { margin: 0; color: var(--ink); background: white; font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1rem 0 .3rem; }
h2 { font-size: 1.35rem; margin: 2.4rem 0 .4rem; padding-top: .8rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1.12rem; margin: 1.9rem 0 .4rem; overflow-wrap: anywhere; }
h4 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p { margin: .5rem 0; max-width: 44rem; }
.soft, figcaption { color: var(--soft); }
.headline { font-size: 1.5rem; margin: .4rem 0; }
.headline small { font-size: .95rem; color: var(--soft); }
.status { display: inline-block; padding: 0 .55em; border: 1px solid currentColor; border-radius: 1em; font-size: .85rem;
  white-space: nowrap; }
.status.done { color: #00664a; } .status.running { color: var(--blue); } .status.interrupted { color: #8a5a00; }
.status.failed, .status.diverged, .status.out_of_memory, .status.unreadable { color: #a33f00; }
.error { border-left: 4px solid #d55e00; background: #fdf3ec; padding: .5rem .8rem; margin: .8rem 0; max-width: none;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .28rem 1rem .28rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; min-width: 4.5rem; border-bottom: 1.5px solid var(--ink); vertical-align: bottom; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; } td.number, td.short { white-space: nowrap; }
dl { display: grid; grid-template-columns: 8.5rem 1fr; gap: .25rem 1rem; margin: .6rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
pre, code { font: .85rem/1.45 ui-monospace, "DejaVu Sans Mono", monospace; }
code { overflow-wrap: anywhere; }
pre { background: var(--back); padding: .7rem; overflow-x: auto; }
figure { margin: 1rem 0; } img { width: 100%; max-width: 44rem; height: auto; display: block; }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--blue); }
details.run > summary { font-weight: 600; color: var(--ink); overflow-wrap: anywhere; padding: .3rem 0; }
@media (max-width: 36rem) {
  body { font-size: 15px; } main { padding: .7rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
  th, td { padding-right: .7rem; } table { font-size: .92em; }
}
@media print {
  main { max-width: none; padding: 0; } figure, table, .error { break-inside: avoid; } h2, h3, h4 { break-after: avoid; }
  img { max-width: 15cm; } pre { white-space: pre-wrap; }
}
"""
