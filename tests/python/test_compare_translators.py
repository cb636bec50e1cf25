"""scripts/compare_translators: the table of stand-ins with known rates, what a failure says, and the others' own programs in the
smallest size, where they are installed."""

import csv
import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
OTHERS = ROOT / "scripts" / "lib" / "other_translators.py"
ATTNLAB = pathlib.Path(os.environ.get("ATTNLAB_BUILD", ROOT / "build" / "release")) / "attnlab"
SMALLEST = {"dim": 8, "layers": 1, "heads": 2, "ffn": 16, "vocabulary": 12}


@pytest.fixture
def stand_in(tmp_path):
    """stand_in(name, text): a program of that text."""

    def make(name, text):
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
        return tmp_path / name

    return make


def compare(*words):
    return subprocess.run([sys.executable, ROOT / "scripts/compare_translators", *map(str, words)], capture_output=True, text=True)


def test_rates_stand_beside_the_others(stand_in):
    row = {"figures": {"decode_tokens_per_second": {"value": 300}}}
    table = json.dumps({"experiments": [{"rows": [row]}]})
    program = stand_in("attnlab", f"[ $1 = run ] || echo '{table}'")
    done = compare("decode", "--rounds", 2, "--program", program, "--python", stand_in("python", "echo 200"))
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()[1:]]
    assert [(line[0], line[1], line[-3]) for line in lines] == [
        ("CTranslate2", "200", "1.00"), ("transformer", "300", "1.50"), ("luna-16", "300", "1.50")
    ]  # fmt: skip


def test_rows_are_added_to_a_file(stand_in, tmp_path):
    table = json.dumps({"experiments": [{"rows": [{"figures": {"train_tokens_per_second": {"value": 300}}}]}]})
    program, file = stand_in("attnlab", f"[ $1 = run ] || echo '{table}'"), tmp_path / "speeds.csv"
    for length in (16, 32):
        words = ["--kinds", "luna-16", "--length", length, "--csv", file, "--program", program]
        done = compare("train", "--rounds", 1, *words, "--python", stand_in("python", "echo 200"))
        assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(file.open()))
    assert [(row["length"], row["model"], row["tokens_per_second"], row["ratio"]) for row in rows] == [
        (length, model, rate, ratio) for length in ("16", "32")
        for model, rate, ratio in (("torch.nn.Transformer", "200.0", "1.000"), ("luna-16", "300.0", "1.500"))
    ]  # fmt: skip
    refused = compare("train", "--csv", tmp_path / "nowhere" / "speeds.csv")
    assert refused.returncode == 1 and refused.stderr.endswith("speeds.csv: No such file or directory\n")


def test_a_failure_says_what_the_program_said(stand_in):
    without = stand_in("python", "echo Traceback >&2; echo \"ModuleNotFoundError: No module named 'ctranslate2'\" >&2; exit 1")
    done = compare("decode", "--python", without)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("compare_translators: ")
    assert done.stderr.endswith("ended with status 1: ModuleNotFoundError: No module named 'ctranslate2'\n")
    broken = stand_in("attnlab", "echo 'error: speed.yaml:3: beam: 0 is less than 1' >&2; exit 2")
    done = compare("decode", "--python", stand_in("sound", "echo 200"), "--program", broken)
    assert done.stderr.endswith("ended with status 2: error: speed.yaml:3: beam: 0 is less than 1\n")
    assert "cannot start /nowhere" in compare("decode", "--python", "/nowhere").stderr


@pytest.mark.skipif(not ATTNLAB.exists(), reason=f"{ATTNLAB} is not built")
@pytest.mark.parametrize("phase", ["train", "decode"])
def test_the_program_does_what_it_is_compared_by(phase, stand_in):
    words = ["--size", "tiny", "--sentences", 2, "--length", 4, "--beam", 2, "--rounds", 1, "--repetitions", 1, "--threads", 1]
    done = compare(phase, *words, "--python", stand_in("python", "echo 200"), "--program", ATTNLAB)
    assert done.returncode == 0, done.stderr
    assert all(float(line.split()[1].replace(",", "")) > 0 for line in done.stdout.splitlines()[1:])


@pytest.mark.parametrize(("phase", "package"), [("train", "torch"), ("decode", "ctranslate2")])
def test_the_others_translate_in_the_smallest_size(phase, package):
    if package == "torch" and subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode:
        pytest.skip("no torch in Python here (scripts/setup --python-torch)")
    if package == "ctranslate2":
        pytest.importorskip(package, reason="no ctranslate2 here (pip install ctranslate2)")
    words = [phase, json.dumps(SMALLEST), 1, 2, 4, 2, 0.1, 1]  # threads, sentences, length, beam, dropout, repetitions
    done = subprocess.run([sys.executable, OTHERS, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 0
