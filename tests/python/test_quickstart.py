"""The steps of scripts/quickstart and their order, in a copy of scripts/ where set-up and build do nothing and the
binary is a small program that notes how it was called and writes a record; the tables of its records are made by the
real one. The real thing runs in .ci/run."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from fetch_server import REVIEWS, datasets, make_archive
from fetch.place import MARKER
from program import find

ROOT = pathlib.Path(__file__).resolve().parents[2]
STORIES, SMOLLM2 = (next(d for d in datasets.DATASETS if d.name == name) for name in ("stories260k", "smollm2"))

BINARY = """#!{python}
import json, os, pathlib, sys
if sys.argv[1] == "table":
    os.execv({program!r}, sys.argv)
sys.path.insert(0, {tests!r})
import sweeps
from test_closing_summary import figures, write_record
with open({log!r}, "a") as log:
    print(*sys.argv[1:], file=log)
if sys.argv[1] == "predict":
    size = 32 if "cache.policy=tova" in sys.argv else None
    for line in sys.stdin:
        prompt = json.loads(line)["prompt"] if line.startswith("{{") else line.strip()
        print(json.dumps(dict(prompt=prompt, text="She\\nran.", ids=[7, 5, 1], policy="tova" if size else "full",
                              size=size, cache_bytes=2048)))
    sys.exit(0)
experiment = pathlib.Path(sys.argv[2]).stem
if sys.argv[1] == "sweep":
    folder = pathlib.Path(os.environ["ATTNLAB_RESULTS"]) / experiment
    if os.environ.get("TEST_SWEEP_STATUS"):
        print("the model is broken", file=sys.stderr)
        sys.exit(int(os.environ["TEST_SWEEP_STATUS"]))
    if not (folder / "full").exists():
        (sweeps.eighth_sweep if "smollm2" in experiment else sweeps.perplexity_sweep)(folder)
    sys.exit(0)
if sys.argv[1] == "run":
    status = int(os.environ.get("TEST_STATUS", 0))
    if status == 0:
        data = "listops" if "listops" in experiment else "imdb"
        write_record(pathlib.Path(os.environ["ATTNLAB_RESULTS"]) / experiment / "run00001", figures(), data)
    sys.exit(status)
print("0  run00001  done")
"""


@pytest.fixture
def project(tmp_path):
    """Runs the copied quickstart; `calls()` is what the binary was asked for."""
    root = tmp_path / "project"
    shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup", "build"):
        (root / "scripts" / name).write_text("#!/bin/sh\n")
    (root / "scripts/report").write_text("import sys, pathlib\npathlib.Path(sys.argv[3]).write_text('<html>')\n")
    table = root / "scripts/lib/fetch/datasets.py"
    table.write_text(table.read_text().replace("12_500", "3"))
    (root / ".venv").symlink_to(sys.prefix)
    log = root / "calls.txt"
    binary = root / "build/release/attnlab"
    binary.parent.mkdir(parents=True)
    names = dict(python=sys.executable, program=find(), tests=str(ROOT / "tests/python"), log=str(log))
    binary.write_text(BINARY.format(**names))
    binary.chmod(0o755)

    def run(*arguments, **environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ATTNLAB_")}
        clean["https_proxy"] = clean["HTTPS_PROXY"] = "http://127.0.0.1:1"  # nothing outside can be reached
        command = [str(root / "scripts/quickstart"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={**clean, **environment})

    run.root = root
    run.calls = lambda: log.read_text().splitlines() if log.exists() else []
    return run


@pytest.fixture
def mirror(tmp_path):
    (tmp_path / "mirror/imdb").mkdir(parents=True)
    (tmp_path / "mirror/imdb/aclImdb.tar.xz").write_bytes(make_archive(form="xz"))
    return tmp_path / "mirror"


def test_reviews_from_a_mirror_named_relative_to_where_the_user_stands(project, mirror):
    done = project("--mirror", "mirror", "--results", "mine", "train.updates=60")
    assert done.returncode == 0, done.stderr
    assert project.calls() == [
        "run experiments/quickstart.yaml train.updates=60",
        "list experiments/quickstart.yaml train.updates=60",
    ]
    run = mirror.parent / "mine/quickstart/run00001"
    assert (run / "report.html").exists()
    assert "64.00 %" in done.stdout and str(run / "report.html") in done.stdout


def test_the_mirror_may_come_from_the_environment(project, mirror):
    done = project(ATTNLAB_MIRROR=str(mirror))
    assert done.returncode == 0, done.stderr
    assert project.calls()[0] == "run experiments/quickstart.yaml"


def test_without_network_and_mirror_generated_data_take_over_and_it_says_so(project):
    done = project()
    assert done.returncode == 0, done.stderr
    assert "cannot reach" in done.stderr and "goes on with ListOps" in done.stdout
    assert project.calls()[0] == "run experiments/quickstart_listops.yaml"
    assert "test examples (listops)" in done.stdout
    assert "stories260k comes from a mirror only" in done.stderr and "TOVA's part is left out" in done.stdout


def test_a_named_mirror_without_the_set_is_an_error(project, tmp_path):
    done = project("--mirror", str(tmp_path))
    assert done.returncode == 2
    assert "has neither" in done.stderr
    assert project.calls() == []


@pytest.fixture
def mirror_with_model(mirror):
    folder = mirror / "models/stories260K"
    folder.mkdir(parents=True)
    for name in STORIES.files:
        (folder / name).write_text(name)
    return mirror


def test_a_pre_trained_model_writes_stories_and_reads_them_with_every_cache(project, mirror_with_model):
    done = project("--mirror", "mirror", "--results", "mine")
    assert done.returncode == 0, done.stderr
    model, folder = project.root / ".data/stories260k", mirror_with_model.parent / "mine/quickstart_tova"
    greedy = f"predict {model} threads=1 max_new_tokens=160"
    assert project.calls()[2:] == [
        f"predict {model} threads=1 temperature=1 seed=1 batch=48 max_new_tokens=511",
        f"sweep experiments/quickstart_tova.yaml model={model} data.path={folder / 'stories.jsonl'}",
        f"{greedy} cache.policy=full cache.size=32",
        f"{greedy} cache.policy=tova cache.size=32",
    ]
    chunks = [json.loads(line) for line in (folder / "stories.jsonl").read_text().splitlines()]
    assert len(chunks) == 48 and chunks[0] == {"id": "story 1", "ids": [1, 7, 5, 1]}
    assert (folder / "report.html").exists() and str(folder / "report.html") in done.stdout
    assert "knows short children's stories only" in " ".join(done.stdout.split())
    assert not list(folder.glob("*.part"))

    assert project("--mirror", "mirror", "--results", "mine").returncode == 0
    assert [call.split()[0] for call in project.calls()[6:]] == ["run", "list", "sweep"], "nothing is written twice"


@pytest.fixture
def with_smollm2(project):
    folder = project.root / ".data" / SMOLLM2.folder
    folder.mkdir(parents=True)
    for name in SMOLLM2.files:
        (folder / name).write_text(name)
    sizes = {name: len(name) for name in SMOLLM2.files}
    (folder / MARKER).write_text(json.dumps({"model": SMOLLM2.name, "files": sizes}))
    return folder


def test_smollm2_reads_the_reviews_joined_with_every_cache(project, mirror, with_smollm2):
    reviews = {name: b"A fine <br />film, and long. " * (1 if "/0_" in name else 500) for name in REVIEWS}
    (mirror / "imdb/aclImdb.tar.xz").write_bytes(make_archive(reviews, form="xz"))
    done = project("--mirror", "mirror", "--results", "mine")
    assert done.returncode == 0, done.stderr
    folder = mirror.parent / "mine/quickstart_smollm2"
    beginning = f"predict {with_smollm2} max_new_tokens=40 cache.share=1/8"
    assert project.calls()[2:] == [
        f"sweep experiments/quickstart_smollm2.yaml --jobs 2 model={with_smollm2} data.path={folder / 'texts'}",
        f"{beginning} cache.policy=full",
        f"{beginning} cache.policy=window",
        f"{beginning} cache.policy=window cache.protect_first=4",
        f"{beginning} cache.policy=tova",
    ]
    texts = [path.read_text() for path in sorted((folder / "texts").iterdir())]
    assert len(texts) == 2 and all(len(text) >= 11000 for text in texts)
    assert texts[0].startswith("A fine \nfilm, and long.\n\nA fine \nfilm") and "<br />" not in texts[1]
    said = " ".join(done.stdout.split())
    assert "costs 123 % of perplexity, and 9 % where it keeps the first four tokens" in said
    assert "leans on its first tokens" in said and "costs 6 %, less than that" in said
    assert "With window+4: She ran." in said and str(folder / "report.html") in said
    assert not list(folder.glob("*.part"))

    assert project("--mirror", "mirror", "--results", "mine").returncode == 0
    assert [call.split()[0] for call in project.calls()[7:]] == ["run", "list", "sweep"], "nothing is written twice"


def test_without_reviews_smollm2_writes_its_texts_itself(project, with_smollm2):
    done = project("--results", "mine")
    assert done.returncode == 0, done.stderr
    written = "temperature=1 seed=1 batch=2 max_new_tokens=1023 ignore_eos=true"
    assert project.calls()[2] == f"predict {with_smollm2} {written}"
    texts = project.root.parent / "mine/quickstart_smollm2/texts"
    assert [path.read_text() for path in sorted(texts.iterdir())] == ["It wasShe\nran."] * 2


def test_a_mirror_without_a_model_leaves_its_part_out_and_says_so(project, mirror):
    done = project("--mirror", "mirror")
    assert done.returncode == 0
    assert "TOVA's part is left out" in done.stdout and "has no models/stories260K/" in done.stderr
    assert "64.00 %" in done.stdout and "TOVA)" not in done.stdout


def test_a_sweep_that_fails_says_why_and_passes_its_status_on(project, mirror_with_model):
    done = project("--mirror", "mirror", TEST_SWEEP_STATUS="2")
    assert done.returncode == 2
    assert done.stderr.endswith("quickstart_tova: the sweep failed: the model is broken\n")


@pytest.mark.parametrize("status", [1, 2, 130])
def test_the_status_of_the_run_is_passed_on(project, mirror, status):
    done = project("--mirror", str(mirror), TEST_STATUS=str(status))
    assert done.returncode == status
    assert "Result" not in done.stdout
