"""What the quickstart says at its end, from records written here with h5py alone."""

import json
import pathlib
import subprocess
import sys

import h5py
import numpy as np
import pytest
import sweeps

LIB = pathlib.Path(__file__).resolve().parents[2] / "scripts/lib"
sys.path.insert(0, str(LIB))
from report import words  # noqa: E402
from runs import load_run  # noqa: E402

CONFIG = "data:\n  type: {data}\nencoding:\n  max_length: 1025\n  cls: true\n"


def write_record(folder, figures, data="imdb", limit=0, run_id=None):
    """A run.h5 with the root attributes and /summary scalars that the words need."""
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / "run.h5", "w") as file:
        file.attrs.update(schema_version=1, status="done", config=CONFIG.format(data=data), limit=limit, threads=2)
        file.attrs["run_id"] = run_id or folder.name
        for name, (value, n, error) in figures.items():
            dataset = file.create_dataset(f"summary/{name}", data=np.float64(value))
            dataset.attrs.update(n=n, standard_error=error)
    return folder


def figures(accuracy=0.64, floor=0.6375, error=0.0107):
    return {
        "accuracy": (accuracy, 2000, error),
        "accuracy_byte_counts": (floor, 2000, error),
        "accuracy_above_byte_counts": (accuracy - floor, 2000, 0.0121),
        "accuracy_majority": (0.5, 2000, 0.0112),
        "training_seconds": (221.4, 1, np.nan),
        "updates": (900, 1, np.nan),
        "best_update": (850, 1, np.nan),
        "resident_peak": (600 * 2**20, 1, np.nan),
        "tensor_peak": (120 * 2**20, 1, np.nan),
    }


def summary(*folders):
    command = [sys.executable, str(LIB / "closing_summary.py"), *map(str, folders)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def flowing(text):
    """Without the breaks and indents of lines."""
    return " ".join(text.split())


def test_accuracy_floor_time_memory_and_places(tmp_path):
    folder = write_record(tmp_path / "run", figures())
    (folder / "learning_curve.png").touch()
    text = summary(folder)
    assert "64.00 % ± 1.07 (standard error) on 2,000 test reviews, the first 1,024 bytes of each" in text
    assert "Floor          63.75 % ± 1.07: logistic regression on byte counts" in text
    assert "Floor          50.00 % ± 1.12: majority class" in text
    assert "221 s on 2 threads" in text and "900 updates" in text
    assert "600 MiB resident, 120 MiB of it tensors" in text
    for name in ("run.h5", "report.html", "learning_curve.png"):
        assert str(folder / name) in text


@pytest.mark.parametrize(
    "accuracy, sentence",
    [
        (0.64, "0.25 percentage points above the floor"),
        (0.64, "paired over the examples: 1.21 points"),
        (0.64, "this run does not show that the model has learned more than how often each byte occurs"),
        (0.80, "the model has learned something that the floor has not"),
        (0.50, "the floor would have been the better classifier"),
        (0.50, "it has learned next to nothing"),
    ],
)
def test_what_the_difference_to_the_floor_means(tmp_path, accuracy, sentence):
    assert sentence in flowing(summary(write_record(tmp_path / "run", figures(accuracy=accuracy))))


def test_the_sentences_are_those_of_the_report(tmp_path):
    folder = write_record(tmp_path / "run", figures())
    sentences = list(words.interpretation(load_run(folder)))
    assert sentences and all(sentence in flowing(summary(folder)) for sentence in sentences)


def test_a_folder_without_a_record_is_said_in_a_sentence(tmp_path):
    command = [sys.executable, str(LIB / "closing_summary.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"closing_summary: {tmp_path} holds no run") and len(done.stderr.splitlines()) == 1


def test_listops_has_examples_and_symbols_and_no_bytes(tmp_path):
    text = summary(write_record(tmp_path / "run", figures(), data="listops", limit=500))
    assert "test examples (listops)" in text and "1,024 symbols" in text and "byte" not in text
    assert "first 500 examples" in text


def test_the_run_that_was_listed_is_found_among_others(tmp_path):
    for name in ("aaaa1111", "bbbb2222"):
        write_record(tmp_path / "results/quickstart" / name, figures())
    listing = tmp_path / "listing"
    listing.write_text("index  id        status  case  command\n0      bbbb2222  done    -     attnlab run q.yaml\n")
    command = [sys.executable, str(LIB / "find_run.py"), str(tmp_path / "results"), str(listing)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.strip() == str(tmp_path / "results/quickstart/bbbb2222")


def test_no_run_of_the_listing_is_an_error(tmp_path):
    write_record(tmp_path / "quickstart/aaaa1111", figures())
    listing = tmp_path / "listing"
    listing.write_text("cccc3333")
    command = [sys.executable, str(LIB / "find_run.py"), str(tmp_path), str(listing)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "cccc3333" in done.stderr


def continued(policy, size, text):
    return json.dumps({"prompt": "Lily ran.", "text": text, "policy": policy, "size": size, "cache_bytes": 84480})


def test_a_decoder_with_bounded_caches_has_a_table_and_what_it_does_not_show(tmp_path):
    sweeps.perplexity_sweep(tmp_path / "tova")
    (tmp_path / "tova/full.jsonl").write_text(continued("full", None, " She\nfell."))
    (tmp_path / "tova/tova.jsonl").write_text(continued("tova", 32, " word" * 200))
    text = summary(write_record(tmp_path / "run", figures()), tmp_path / "tova")
    # exp(1.9) with the full cache; exp(2.5), exp(2.2) and exp(2.0) of tova+4
    assert "6.686 with the full cache, on 5 stories of 20,480 tokens" in text
    assert "states kept        64     256    1024" in text
    assert "tova+4         12.182   9.025   7.389" in text
    assert "It says nothing about other texts or larger models." in flowing(text)
    assert "Continued with full cache (82 KiB of keys and values): Lily ran. | She fell." in flowing(text)
    assert "Continued with tova, 32 states" in text and " word …" in text
    assert str(tmp_path / "tova/report.html") in text
    assert all(len(line) <= 125 for line in text.splitlines() if str(tmp_path) not in line)


def test_a_sweep_without_a_finished_run_is_said_to_be(tmp_path):
    (tmp_path / "quickstart_tova").mkdir()
    text = summary(write_record(tmp_path / "run", figures()), tmp_path / "quickstart_tova")
    assert "no run of quickstart_tova is done" in text and "64.00 %" in text
