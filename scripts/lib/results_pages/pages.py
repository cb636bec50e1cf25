"""The pages with tables from results/reference/. A table stands between `<!-- table: NAME -->` and `<!-- end -->` and
is written anew, and so is, after `<!-- origin: FILE -->`, where a file comes from. A figure in a sentence is followed by
`<!-- = FILE: ROW: COLUMN -->`, which names where it stands, and is compared at the decimals that the sentence gives it.
A range `A to B` names two places, with `|` between them."""

import re

from . import causal, claims, generation, luna, small_decoders, smollm2, tova, translation
from .files import Files, Mistake

PAGES = ("README.md", "results/luna.md", "results/tova.md")
TABLES = {**luna.TABLES, **causal.TABLES, **translation.TABLES, **tova.TABLES, **small_decoders.TABLES, **smollm2.TABLES, **generation.TABLES, **claims.TABLES}

OPENING = re.compile(r"<!-- (table|origin): ([^\n]+?) -->")
BLOCK = re.compile(OPENING.pattern + r"(?:(?!<!-- (?:table|origin): ).)*?<!-- end -->", re.DOTALL)
NUMBER = r"\d[\d,]*(?:\.\d+)?"
UNIT = (
    r"%|×(?!\s*\d)|(?:s|ms|min|h|KiB|MiB|GiB|GB/s|GFLOP/s|minutes|seconds|hours|times|points)(?!\w)|"
    r"(?:million )?(?:tokens|updates) a second"
)
QUOTE = re.compile(
    rf"(?<![\w.,])(?P<first>{NUMBER})(?:\s+to\s+(?P<last>{NUMBER}))?(?:\s+±\s+(?P<error>{NUMBER}))?"
    rf"(?:\s+(?P<unit>{UNIT}))?(?P<bold>\*\*)?(?:<!-- = (?P<places>.+?) -->)?",
    re.DOTALL,
)
HAND_MADE = re.compile(r"(?<![§.\d])\d+\.\d+(?!\.)")
TREE = {"true": ", with uncommitted changes", "false": "", "unknown": "; whether with uncommitted changes is unknown"}
# What a file's number is multiplied with to be in the unit of the sentence; a share may be recorded as 0.64 or 64.
SCALES = {"%": (1, 100), "ms": (1e3,), "min": (1 / 60,), "h": (1 / 3600,), "KiB": (2**-10,), "MiB": (2**-20,), "GiB": (2**-30,),
          "GB/s": (1e-9,), "GFLOP/s": (1e-9,)}  # fmt: skip


def written(root, page):
    """The page with its tables as the files have them."""
    files = Files(root)
    return BLOCK.sub(lambda block: _block(files, block), _read(root, page))


def differences(root, page):
    """What of a page is not what the files say: sentences."""
    files = Files(root)
    text = _read(root, page)
    for block in BLOCK.finditer(text):
        if block[0] != _block(files, block):
            yield f"{block[1]} '{block[2]}' is not what the files say; scripts/results_pages writes it"
    yield from _quotes(files, _prose(text))


def _read(root, page):
    text = (root / page).read_text(encoding="utf-8")
    if lost := [opening[2] for opening in OPENING.finditer(BLOCK.sub("", text))]:
        raise Mistake(f"{page}: '{lost[0]}' has no <!-- end -->")
    return text


def _block(files, block):
    kind, name = block[1], block[2]
    lines = _origin(files, name) if kind == "origin" else _table(files, name)
    return "\n".join([f"<!-- {kind}: {name} -->", *lines, "<!-- end -->"])


def _table(files, name):
    if name not in TABLES:
        raise Mistake(f"no table is called '{name}'; there are {', '.join(TABLES)}")
    heading, rows = TABLES[name](files)
    lines = ["| " + " | ".join(cells) + " |" for cells in [heading, *rows]]
    return [lines[0], "|---" * len(heading) + "|", *lines[1:]]


def _origin(files, name):
    """Where the figures of a file come from, as INDEX.csv has it."""
    rows = [row for row in files.rows("INDEX.csv") if row["file"] == name]
    if not rows:
        raise Mistake(f"INDEX.csv has no row of '{name}'")
    said = set()  # what several rows share is said once
    for row in rows:
        lines = [
            f"- command: `{row['command']}`",
            f"- machine: {row['machine']}; threads: {row['threads']}; duration: {row['duration']}",
            f"- code: commit {row['commit']}{TREE[row['dirty']]}; {row['date']}; recorded in {row['recorded_in']}",
        ]
        yield from (line for line in lines if line not in said)
        said.update(lines)
    configurations = dict.fromkeys(row["configuration"] for row in rows)
    yield f"- configuration: {', '.join(_linked(files, one) for one in configurations)}"
    yield f"- figures: [{name}](reference/{name})"


def _linked(files, configuration):
    """A configuration as INDEX.csv names it, a link where it stands beside the figures."""
    held = (files.root / "results/reference" / configuration).is_file()
    return f"[{configuration}](reference/{configuration})" if held else configuration


def _prose(text):
    """The page without what is written by the script, what is code, and where links lead."""
    for noise in (BLOCK, re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE), re.compile(r"`[^`]+`"),
                  re.compile(r"\]\([^)]*\)"), re.compile(r"<!-- (?!=).*?-->", re.DOTALL)):  # fmt: skip
        text = noise.sub(" ", text)
    return text


def _quotes(files, prose):
    for line in prose.splitlines():
        if line.startswith("|") and (figure := HAND_MADE.search(line)):
            yield f"{figure[0]} stands in a table that scripts/results_pages does not write"
    for quote in QUOTE.finditer(prose):
        said = " ".join(re.sub(r"<!--.*", "", quote[0], flags=re.DOTALL).split())
        if not quote["places"]:
            if quote["unit"] or quote["error"]:
                yield f"'{said}' names no place in results/reference/"
            continue
        places = [place.strip() for place in quote["places"].split(" | ")]
        numbers = [n for n in (quote["first"], quote["last"]) if n]
        if len(places) != len(numbers):
            raise Mistake(f"'{said}' has {len(numbers)} figures and names {len(places)} places")
        for number, place in zip(numbers, places):
            value, error, unit = _look_up(files, place)
            scales = (1,) if unit == quote["unit"] else SCALES.get(quote["unit"], (1,))
            if not any(_same(number, scale * value) and _same(quote["error"], scale * error) for scale in scales):
                yield f"'{said}': {place} is {value:g}" + (f" ± {error:g}" if quote["error"] else "")


def _look_up(files, place):
    """(value, error, unit or nothing) of FILE: ROW: COLUMN, or of notes.csv: NAME. ROW is the first column, and where
    several rows share it also others: `luna-16; threads=2`."""
    name, key, *column = re.split(r":\s+", place)
    first, *others = re.split(r";\s+", key)
    row = files.row(name, first, **dict(other.split("=", 1) for other in others))
    if name == "notes.csv":
        return float(row["value"]), float(row["error"] or 0), row["unit"]
    if not column or not row.get(column[0]):
        raise Mistake(f"{place}: the file has nothing there")
    return float(row[column[0]]), float(row.get(f"{column[0]}_sd") or row.get(f"{column[0]}_se") or 0), None


def _same(said, value):
    """Whether what is said is the value, rounded to the decimals that it gives."""
    if said is None:
        return True
    digits = len(said.partition(".")[2])
    return f"{value:,.{digits}f}" in (said, f"{float(said.replace(',', '')):,.{digits}f}")
