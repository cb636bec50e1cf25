"""The results pages say what results/reference/ holds: tables, figures in sentences, where each file comes from; and
the links of the documents lead somewhere."""

import csv
import importlib.machinery
import importlib.util
import math
import re
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "results/reference"

loader = importlib.machinery.SourceFileLoader("results_pages_script", str(ROOT / "scripts/results_pages"))
script = importlib.util.module_from_spec(importlib.util.spec_from_loader("results_pages_script", loader))
loader.exec_module(script)
pages = sys.modules["results_pages.pages"]
claims = sys.modules["results_pages.claims"]

DOCUMENTS = sorted({*pages.PAGES, "CONTRIBUTING.md", "results/README.md"})


def read(name):
    with (REFERENCE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def copy(tmp_path):
    """A repository of nothing but the pages and the files behind them: change(path, old, new) edits one."""
    for folder in ("results/reference", "experiments/published"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for page in pages.PAGES:
        shutil.copy(ROOT / page, tmp_path / page)

    def change(path, old, new):
        text = (tmp_path / path).read_text(encoding="utf-8")
        assert old in text
        (tmp_path / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    change.root = tmp_path
    return change


def check(root, capsys, *arguments):
    """Exit status of scripts/results_pages --check, and the lines that it prints."""
    status = script.main(["--check", "--root", str(root), *arguments])
    said = capsys.readouterr()
    return status, said.out.splitlines() + said.err.splitlines()


def test_pages_and_files_agree(capsys):
    assert check(ROOT, capsys) == (0, [])


def test_every_table_that_is_described_stands_in_one_page():
    blocks = [b[2] for page in pages.PAGES for b in pages.BLOCK.finditer((ROOT / page).read_text()) if b[1] == "table"]
    assert sorted(blocks) == sorted(pages.TABLES)


@pytest.mark.parametrize(
    "file, old, new, tables",
    [
        ("scoring.csv", "0.6723867543467221,0.6655381259645464", "0.7723867543467221,0.6655381259645464", ["results/tova.md: table 'scoring'"]),
        ("step_speed.csv", "0.643927", "0.743927",
         ["results/luna.md: table 'step_speed'", "results/luna.md: table 'step_shares'"]),
        ("recipe_lra_luna.csv", "65.508", "66.508",
         ["README.md: table 'luna_claims'", "results/luna.md: table 'claims_luna'", "results/luna.md: table 'recipe'"]),
        ("INDEX.csv", "20 minutes", "30 minutes", ["results/luna.md: origin 'recipe_lra_luna.csv'"]),
    ],
)  # fmt: skip
def test_a_changed_file_is_told_by_the_tables_that_read_it_and_writing_mends_them(copy, capsys, file, old, new, tables):
    copy(f"results/reference/{file}", old, new)
    status, said = check(copy.root, capsys)
    assert status == 1
    assert said == [f"{table} is not what the files say; scripts/results_pages writes it" for table in tables]
    assert script.main(["--root", str(copy.root)]) == 0
    assert check(copy.root, capsys) == (0, [])


def test_both_pages_call_a_miss_what_the_tables_do():
    for page in ("results/luna.md", "results/tova.md"):
        assert claims.RULE in " ".join((ROOT / page).read_text(encoding="utf-8").split()), page


@pytest.mark.parametrize(
    "ours, paper, better, said",
    [
        (["5.3"], 5.5, "higher", claims.MISS),
        (["5.5 ± 0.7", "3.6 ± 0.9"], "4.8", "higher", claims.MISS),
        (["5.5 ± 0.7", "4.6 ± 0.9"], "4.8", "higher", claims.OPEN),
        (["6.9 ± 1.3", "withdrawn"], "4.8", "higher", ""),
        ([0.24], 0.112, "lower", claims.MISS),
        (["0.12 ± 0.01"], 0.112, "lower", claims.OPEN),
        ([0.05], 0.10, "lower", ""),
    ],
)
def test_a_ratio_misses_where_one_of_ours_falls_short_and_is_open_within_its_error(ours, paper, better, said):
    assert claims.missed(ours, paper, better) == said


def test_no_ratio_stands_that_rests_on_a_share_above_the_whole(copy):
    """Neither in the table nor among the claims; the share of either side withdraws it."""
    claim = "| the same, 8 layers × 512 | 4.8 × | 6.9 ± 1.3 × in 0.85 GiB and withdrawn in 1.35 GiB (3 runs)"
    assert claim in (copy.root / "results/tova.md").read_text()
    row = next(r for r in read("throughput_small.csv") if r["case"] == "tova, k = 1/8 memory_budget=0.85")
    copy("results/reference/throughput_small.csv", row["bound_share_2_threads"], "")
    assert script.main(["--root", str(copy.root)]) == 0
    text = (copy.root / "results/tova.md").read_text()
    assert claim.replace("6.9 ± 1.3 ×", "withdrawn") in text
    assert "| 0.85 GiB | tova, k = 1/8 | 35 | 888 ± 61 | withdrawn |" in text
    assert "| 0.85 GiB | tova, k = 1/16 | 71 | 1,307 ± 125 | 10.1 ± 2.0 |" in text


def test_a_table_that_was_edited_by_hand_is_told(copy, capsys):
    copy("results/luna.md", "| 65.51 ± 0.30 |", "| 66.51 ± 0.30 |")
    status, said = check(copy.root, capsys)
    assert (status, len(said)) == (1, 1) and "table 'recipe'" in said[0]


@pytest.mark.parametrize(
    "sentence, said",
    [
        ("It took 3.2 s.", "'3.2 s' names no place in results/reference/"),
        ("It reached 65.51 ± 0.30 there.", "'65.51 ± 0.30' names no place in results/reference/"),
        ("It is 82 to 84 % of that.", "'82 to 84 %' names no place in results/reference/"),
        ("| Luna | 0.73 |", "0.73 stands in a table that scripts/results_pages does not write"),
        ("Prepared in 1.33 GiB<!-- = notes.csv: prepare.peak -->.", "'1.33 GiB': notes.csv: prepare.peak is 1.13"),
        ("From 28 to 33 GB/s<!-- = notes.csv: decoding.read_rate_1_thread.low | notes.csv: "
         "decoding.read_rate_1_thread.high -->.",
         "'28 to 33 GB/s': notes.csv: decoding.read_rate_1_thread.high is 32"),
        ("It was 63.65 ± 1.09 %<!-- = notes.csv: quickstart.accuracy -->.",
         "'63.65 ± 1.09 %': notes.csv: quickstart.accuracy is 63.65 ± 1.08"),
    ],
)  # fmt: skip
def test_a_figure_in_a_sentence_names_where_it_stands_and_is_what_stands_there(copy, capsys, sentence, said):
    copy("results/luna.md", "## The recipes\n", f"## The recipes\n\n{sentence}\n")
    assert check(copy.root, capsys) == (1, [f"results/luna.md: {said}"])


@pytest.mark.parametrize(
    "sentence",
    [
        "In 4,096 tokens, with 6 layers × 192 at k = 64, in `attnlab run x=3 s`, there are 22,500 reviews.",
        "Share: 82 %<!-- = scoring.csv: tova cache.size=512: full_product_share_1_thread -->.",
        "Held: 113 MiB<!-- = scoring.csv: tova cache.size=512: peak_bytes -->, in bold **110 GFLOP/s**"
        "<!-- = scoring.csv: tova cache.size=64: product_rate_1_thread -->.",
        "Accuracy: 60.26 ± 0.12 %<!-- = lra_text_small.csv: Luna-16: accuracy -->.",
    ],
)  # fmt: skip
def test_figures_that_are_held_and_words_that_are_no_figures_pass(copy, capsys, sentence):
    copy("results/luna.md", "## The recipes\n", f"## The recipes\n\n{sentence}\n")
    assert check(copy.root, capsys) == (0, [])


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("<!-- table: recipe -->", "<!-- table: recipes -->", "no table is called 'recipes'"),
        ("<!-- origin: step_speed.csv -->", "<!-- origin: speed.csv -->", "INDEX.csv has no row of 'speed.csv'"),
        ("<!-- end -->", "", "results/luna.md: 'claims_luna' has no <!-- end -->"),
        ("notes.csv: recipe_lra_luna.update_minutes", "notes.csv: nothing", "notes.csv: 0 rows are 'nothing'"),
        ("notes.csv: recipe_lra_luna.update_minutes", "gone.csv: nothing", "results/reference/gone.csv is not there"),
    ],
)
def test_a_mistake_in_a_page_is_one_sentence(copy, capsys, old, new, said):
    copy("results/luna.md", old, new)
    status, lines = check(copy.root, capsys)
    assert (status, len(lines)) == (2, 1) and lines[0].startswith(f"results_pages: {said}")


def test_the_index_has_every_file():
    index = read("INDEX.csv")
    named = {row[column] for row in index for column in ("file", "configuration")}
    assert {path.name for path in REFERENCE.iterdir()} - named == {"INDEX.csv"}
    experiments = [row["experiment"] for row in index if not row["experiment"].startswith("none")]
    assert all((ROOT / path).is_file() for path in experiments)
    assert all(value for row in index for column, value in row.items() if column not in ("threads", "duration"))


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*.csv")), ids=lambda path: path.name)
def test_the_index_names_the_commits_and_the_state_of_the_tree_that_a_file_records(path):
    rows = [row for row in read(path.name) if row.get("git_commit")]
    recorded = {(row["git_commit"][:10], row.get("git_dirty", "unknown")) for row in rows}
    indexed = {(row["commit"], row["dirty"]) for row in read("INDEX.csv") if row["file"] == path.name}
    assert not recorded or recorded == indexed


def test_every_figure_read_off_by_hand_says_where_it_was_read():
    notes = read("notes.csv")
    assert len({row["name"] for row in notes}) == len(notes)
    assert all(math.isfinite(float(row["value"])) and row["unit"] and row["source"] for row in notes)


def anchors(path):
    """The names by which GitHub links to the headings of a page."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ +(.+?)\s*$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```|`[^`\n]+`", "", text, flags=re.DOTALL | re.MULTILINE)
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    for target in targets:
        name, _, anchor = target.partition("#")
        path = (ROOT / document).parent / name if name else ROOT / document
        assert path.exists(), f"{document} links to {target}"
        assert not anchor or anchor in anchors(path), f"{document} links to {target}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_a_document_names_are_there(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    named = re.findall(r"`((?:experiments|configs|scripts|src|tests)/[\w./]*\w)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_walk_from_a_key_to_a_cell_names_each_file_once():
    """A name without a folder stands beside the file before it."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    walk = text[text.index("## From a key to a cell") : text.index("## How to add")]
    files, folder = [], ROOT
    for name in re.findall(r"`([\w/]+\.(?:h|cpp))`", walk):
        folder = (ROOT / name).parent if "/" in name else folder
        files.append(folder / name.rpartition("/")[2])
    assert len(files) > 20 and all(path.is_file() for path in files)
    assert len(set(files)) == len(files)


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 130
