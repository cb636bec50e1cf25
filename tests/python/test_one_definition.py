"""One name, one definition. Two types or inline functions of one name in two files compile, and the linker keeps
whichever members it meets first for both: a crash far from its cause, seen only in the program that links both files.
Strong symbols of one name in two archives are hidden likewise. Compilers need not say so."""

import collections
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|'
    r"(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'|^[ \t]*#(?:[^\n\\]|\\.)*(?:\\\n[^\n]*)*",
    re.DOTALL | re.MULTILINE,
)
TYPE = re.compile(r"\b(?:class|struct|union|enum(?:\s+(?:class|struct))?)\s+(?:alignas\([^)]*\)\s*)?([\w:]+(?:<.*?>)?)")
PARAMETERS = re.compile(r"\btemplate\s*<[^<>]*>")
SHARED_FUNCTION = re.compile(r"\b(?:inline|constexpr|template)\b")


def definitions(text):
    """Qualified names of the types, and signatures of the inline functions, that a source defines at namespace scope
    with external linkage."""
    text = NOISE.sub(" ", text)
    scopes, found = [], []
    for statement, brace in re.findall(r"([^{};]*)([{};])", text):
        if brace == "{":
            scopes.append(opened(" ".join(statement.split()), scopes, found))
        elif brace == "}" and scopes:
            scopes.pop()
    return found


def opened(head, scopes, found):
    """The scope that a brace behind `head` opens: a namespace's or type's name, or None where what is inside has no
    linkage of its own to clash."""
    if None in scopes:
        return None
    if namespace := re.search(r"\bnamespace\s*([\w:]*)$", head):
        return namespace.group(1) or None
    if head.startswith("extern"):
        return ""
    qualified = "::".join(s for s in scopes if s)
    if "(" not in (head.split("=")[0]) and (kind := TYPE.search(PARAMETERS.sub(" ", head))) and "=" not in head:
        name = f"{qualified}::{kind.group(1)}"
        found.append(name)
        return kind.group(1)
    strong = head.startswith("template <>") and "inline" not in head  # a specialisation: the linker refuses two
    if SHARED_FUNCTION.search(head) and "(" in head and "static" not in head.split() and not strong:
        found.append(f"{qualified}: {head.split(' requires ')[0]}")
    return None


def clashes(files):
    where = collections.defaultdict(set)
    for file in files:
        for name in definitions(file.read_text()):
            where[name].add(str(file.relative_to(ROOT)))
    return {name: sorted(files) for name, files in where.items() if len(files) > 1}


def sources(folder):
    return [f for kind in ("*.h", "*.cpp", "*.cu") for f in (ROOT / folder).rglob(kind)]


def test_finds_what_it_looks_for():
    text = """
    #define BRACE {
    namespace attnlab { // struct Comment {
    struct Table { struct Row { int a; }; enum class Kind { x }; const char* s = "struct Text {"; };
    template <> struct Table<int> {};
    namespace { struct Hidden {}; inline int hidden() { return 0; } }
    inline int twice(int x) { struct Local {}; return 2 * x; }
    int once(int x) { return x; }
    template <> int specialised<Table>() { return 0; }
    class Forward;
    enum class Colour : int { red };
    }
    """
    assert definitions(text) == [
        "attnlab::Table",
        "attnlab::Table::Row",
        "attnlab::Table::Kind",
        "attnlab::Table<int>",
        "attnlab: inline int twice(int x)",
        "attnlab::Colour",
    ]


def test_the_program_defines_each_name_once():
    assert clashes(sources("src")) == {}


@pytest.mark.parametrize("folder", sorted({p.parent.name for p in (ROOT / "tests").glob("*/*_test.cpp")}))
def test_a_test_program_defines_each_name_once(folder):
    shared = list((ROOT / "tests").glob("*.h"))
    assert clashes(sources("src") + shared + sources(f"tests/{folder}")) == {}


def test_no_two_archives_define_one_symbol():
    archives = sorted((ROOT / "build" / "release" / "src").rglob("*.a"))
    if not archives:
        pytest.skip("nothing is built in build/release")
    where = collections.defaultdict(set)
    for archive in archives:
        listing = subprocess.run(["nm", "-A", "--defined-only", archive], capture_output=True, text=True, check=True)
        for line in listing.stdout.splitlines():
            origin, kind, symbol = line.rsplit(None, 2)
            if kind in "TDBRG":
                where[symbol].add(origin.rsplit(":", 1)[0])
    assert {symbol: sorted(files) for symbol, files in where.items() if len(files) > 1} == {}
