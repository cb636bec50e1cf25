"""What the report, the plots and `export_pairs` make of runs that answer questions or write texts."""

import json
import resource
import subprocess
import sys

import conftest
import h5py
import pytest
from pages import PLOTS, PNG, start
from report import case_table, pictures, protocol, run_section  # noqa: F401  (puts the folder of the plots on the path)
import common
import retrieval_heatmap
from runs import load, load_run

EXPORT = PLOTS.parent / "export_pairs"
QUESTIONS = """\
task: question_answering
seed: 1
model: models/SmolLM2
benchmark: {{type: ruler, variant: single_1, length: {length}, depth: {depth}}}
template: folder
length: 8192
max_new_tokens: 32
baseline: false
cache: {{policy: {{type: tova, heads: layer_wise}}, size: 256, prompt: {prompt}, piece: 128}}
"""
STORIES = """\
task: long_generation
seed: {seed}
prompt: Write a story.
template: none
max_new_tokens: 64
sampling: {{temperature: 1.0, top_k: 0, top_p: 0.95}}
cache: {{policy: {{type: full}}, size: 256, prompt: per_step}}
"""


@pytest.fixture(autouse=True)
def closed():
    yield
    common.plt.close("all")


def found(label, length, depth):
    """Everything by the full cache, by the other what stands in the last quarter."""
    return 1.0 if label == "full" or depth == 100 else 0.25


@pytest.fixture(scope="module")
def retrieval(tmp_path_factory):
    root = tmp_path_factory.mktemp("retrieval") / "retrieval"
    for label in ("full", "tova"):
        for length in (512, 1024):
            for depth in (0, 50, 100):
                folder = root / f"{label}{length}{depth}"
                folder.mkdir(parents=True)
                row = f"{label} benchmark.length={length} benchmark.depth={depth}"
                with h5py.File(folder / "run.h5", "w") as file:
                    conftest.write_attributes(
                        file, folder, label=row, case=row, published="", compare="", description="needles",
                        config=QUESTIONS.format(length=length, depth=depth, prompt="per_step"), prompt_template="chatml",
                    )  # fmt: skip
                    conftest.write_figure(file, "string_match", found(label, length, depth), n=4, better="higher")
                    conftest.write_figure(file, "question_visible", 0, n=4)
    return root


def test_the_heat_map_has_a_panel_for_each_cache_with_the_records_numbers(retrieval):
    cases = [case for experiment in load(retrieval) for case in experiment.cases]
    made = retrieval_heatmap.draw(cases)
    panels = {axis.get_title(loc="left"): axis for axis in made.axes if axis.get_visible()}
    assert list(panels) == ["full", "tova"]
    assert panels["full"].images[0].get_array().min() == 1.0
    assert panels["tova"].images[0].get_array().tolist() == [[0.25, 0.25], [0.25, 0.25], [1.0, 1.0]]
    assert [text.get_text() for text in panels["tova"].texts] == ["25", "25", "25", "25", "100", "100"]
    assert [text.get_text() for text in panels["tova"].get_xticklabels()] == ["512", "1,024"]


def test_the_heat_map_is_a_script_of_its_own(retrieval, tmp_path):
    picture = tmp_path / "map.png"
    done = start(PLOTS / "retrieval_heatmap.py", retrieval, "-o", picture)
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(PNG)


def test_the_protocol_says_how_a_model_was_asked_and_when_states_were_dropped(retrieval):
    facts = dict(protocol.facts(load_run(retrieval / "tova5120")))
    assert facts["Data"] == "ruler (variant single_1, length 512, depth 0)"
    assert facts["Prompt"] == (
        "in the chat format chatml; states are dropped after every token of it, when the question is not yet known"
    )
    assert facts["Answers"] == "greedy, at most 32 tokens"


def write_scores(folder, label, f1, shares):
    folder.mkdir(parents=True)
    said = {"source": "Somebody 2024", "unit": "%", "metrics": ["f1_difference_full"],
            "rows": [{"name": "tova", "figures": {"f1_difference_full": -1}, "this_case": label == "tova"}]}  # fmt: skip
    compare = {"to": {"full": "full"}, "speedup": [], "fraction": [], "difference": ["f1"]}
    questions = [f"q{i}" for i in range(len(shares))]
    with h5py.File(folder / "run.h5", "w") as file:
        conftest.write_attributes(
            file, folder, label=label, case=label, published=json.dumps(said), compare=json.dumps(compare),
            description="papers", config=QUESTIONS.format(length=512, depth=0, prompt="per_step"),
        )  # fmt: skip
        conftest.write_table(
            file, "/answers", "every question",
            question=(questions, "1", "name"), prediction=([f"<{label}>"] * len(shares), "1", "the answer"),
            references=(['["a dog", "a cat"]'] * len(shares), "1", "a JSON list"), f1=(shares, "1", "token F1"),
        )  # fmt: skip
        conftest.write_table(file, "/shares", "", question=(questions, "1", "name"), f1=(shares, "1", "token F1"))
        conftest.write_figure(file, "f1", f1, n=len(shares), error=0.1, better="higher")


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    root = tmp_path_factory.mktemp("scores") / "papers"
    write_scores(root / "full", "full", 0.5, [0.4, 0.5, 0.6])
    write_scores(root / "tova", "tova", 0.4, [0.3, 0.4, 0.5])
    return root


def test_the_table_has_paired_differences_beside_the_published_ones(scored):
    (experiment,) = load(scored)
    text = str(case_table.table(experiment))
    assert "less that of full" in text and "f1 (%)" in text
    assert "−10.00" in text, "every question is a tenth lower"
    assert "−1" in text and "Somebody 2024" in text


def test_answers_stand_beside_their_first_reference(scored):
    (shown,) = run_section.answers(load_run(scored / "tova"))
    assert "Answers beside references" in str(shown)
    assert "&lt;tova&gt;" in str(shown) and "a dog" in str(shown) and "a cat" not in str(shown)


def write_stories(folder, seed, texts):
    folder.mkdir(parents=True)
    with h5py.File(folder / "run.h5", "w") as file:
        conftest.write_attributes(
            file, folder, label=folder.name, case=folder.name, published="", compare="", config=STORIES.format(seed=seed)
        )
        conftest.write_table(
            file, "/texts", "every text",
            text=(list(range(len(texts))), "1", "which"),
            generated=(texts, "1", "the text"),
        )  # fmt: skip
    return folder


def export(*arguments):
    return subprocess.run([sys.executable, EXPORT, *map(str, arguments)], capture_output=True, text=True)


def test_pairs_are_exported_in_both_orders(tmp_path):
    full = write_stories(tmp_path / "stories/full", 1, ["One upon", "Two\nlines", "Three"])
    tova = write_stories(tmp_path / "stories/tova", 1, ["Eins", "Zwei"])
    done = export(full, tova)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["id"] for line in lines] == ["0-ab", "0-ba", "1-ab", "1-ba"]
    assert lines[2] == {"id": "1-ab", "prompt": "Write a story.", "a": "Two\nlines", "b": "Zwei",
                        "run_a": "full", "run_b": "tova"}  # fmt: skip
    assert (lines[3]["a"], lines[3]["b"]) == ("Zwei", "Two\nlines")


def test_pairs_need_texts(retrieval, tmp_path):
    done = export(retrieval / "full5120", write_stories(tmp_path / "stories/full", 1, ["One"]))
    assert done.returncode == 1
    assert "no table /texts" in done.stderr


def test_pairs_that_cannot_be_written_end_with_a_sentence(tmp_path):
    runs = [write_stories(tmp_path / f"stories/{label}", 1, ["One"]) for label in ("full", "tova")]
    done = export(*runs, "-o", "/dev/full")
    assert (done.returncode, done.stderr) == (1, "export_pairs: cannot write /dev/full: No space left on device\n")
    done = export(*runs, "-o", tmp_path / "none/pairs.jsonl")
    assert (done.returncode, "No such file or directory" in done.stderr) == (1, True)
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, EXPORT, *runs], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr == "export_pairs: cannot write standard output: No space left on device\n"


def test_pairs_that_cannot_be_written_leave_the_former_ones(tmp_path):
    runs = [write_stories(tmp_path / f"stories/{label}", 1, ["One"]) for label in ("full", "tova")]
    old = tmp_path / "pairs.jsonl"
    old.write_text("the former pairs\n")
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))  # noqa: E731
    command = [sys.executable, EXPORT, *runs, "-o", old]
    done = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"export_pairs: cannot write {old}: File too large\n")
    assert [(f.name, f.read_text()) for f in tmp_path.glob("pairs*")] == [(old.name, "the former pairs\n")]


def test_pairs_of_different_seeds_are_told(tmp_path):
    done = export(write_stories(tmp_path / "a/full", 1, ["One"]), write_stories(tmp_path / "b/tova", 2, ["Eins"]))
    assert done.returncode == 0
    assert "different seeds" in done.stderr
