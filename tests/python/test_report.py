"""scripts/report on a single run, and on files that are none; records written with h5py."""

import fcntl
import os
import shutil
import subprocess
import sys

import conftest
import h5py
import numpy as np
import pytest
from pages import PLOTS, REPORT, Page, report, start
from report import case_table, words
import cases  # noqa: I001  (on the path that report makes)
from runs import Figure, load, load_run


@pytest.fixture(scope="module")
def text(written):
    """The words of a finished run's own page."""
    folder = written / "quickstart" / "aaaa1111"
    assert report(folder) == 0
    return Page(folder / "report.html").text


@pytest.fixture
def unfinished(tmp_path):
    """unfinished(status, error) is the page of a run that ended so."""

    def make(status, error, **attributes):
        folder = tmp_path / "quickstart" / "cccc3333"
        conftest.unfinished(folder, status, error, **attributes)
        assert report(folder) == 0
        return Page(folder / "report.html")

    return make


def test_a_report_of_one_run_states_the_protocol(text):
    assert "at most 1,024 tokens, <CLS> and </s> included; longer texts are cut" in text
    assert "256 bytes and 5 special tokens" in text
    assert "accuracy on validation examples held out of train; test was not looked at Selected update 800" in text
    assert "Data imdb (0.1 of the training examples held out for validation, 2,000 test examples)" in text
    assert "Evaluated on 2,000 test examples" in text
    assert "Attention luna (projection_length 16, tie_kv false) Parameters 123,456" in text
    assert "900 updates, adamw, peak learning rate 0.002, schedule linear Batch 32 examples Precision fp32" in text


def test_accuracies_and_floors_have_standard_errors(text):
    # sqrt(0.6425 · 0.3575 / 2000) = 0.01072, sqrt(0.6375 · 0.3625 / 2000) = 0.01075
    assert "Test accuracy 64.25 % ± 1.07 2,000" in text
    assert "Floor: logistic regression on byte counts 63.75 % ± 1.07 2,000" in text
    assert "Floor: majority class 50.00 % ± 1.12 2,000" in text
    assert "3 min 41 s" in text and "412.0 MiB" in text and "1.20 %" in text


def test_departures_stand_in_the_page_of_a_run_and_of_an_experiment(tmp_path):
    sentences = ("two reviews are held out", "batches of 16, not 32")
    for name in ("aaaa1111", "bbbb2222"):
        conftest.unfinished(tmp_path / "lab" / name, "failed", "", departures="\n".join(sentences), label=name)
    told = "It departs from the recipe that it follows: two reviews are held out batches of 16, not 32"
    for folder, times in ((tmp_path / "lab" / "aaaa1111", 1), (tmp_path / "lab", 3)):
        assert report(folder) == 0
        assert Page(folder / "report.html").text.count(told) == times, "once for the experiment, once for each run"


def test_a_language_model_is_reported_by_its_perplexity(tmp_path):
    record = conftest.language_model(tmp_path / "lm" / "dddd4444")
    assert report(record.parent) == 0
    page = Page(record.parent / "report.html").text
    assert "43.21 ± 1.25 perplexity per token, on documents held out of training, and its standard error" in page
    assert "Data pg19 (split train), the first 200 documents Length packed chunks of 1,024 tokens" in page
    assert "4,096 pieces, trained on the documents Model 6 layers of width 192, 6 heads, feed-forward 512" in page
    assert "Batch 4 chunks" in page
    assert "the update with the best perplexity on validation documents held out of train" in page
    assert "accuracy" not in page
    assert case_table.metrics_of(load(record)[0])[0] == "perplexity_validation"


def test_a_tuned_language_model_is_reported_by_what_it_started_from_and_forgot(tmp_path):
    config = conftest.LANGUAGE_MODEL.replace("model:", "start_from: .data/models/Small\nmodel:") + """
mixture: {text: 3, answers: 1, questions: {type: squality, split: train}, held_out: {type: squality, split: validation},
  longest_answer: 512}
"""
    policy = "policy: {cache: {policy: {type: tova, heads: layer_wise}, size: 512, share: 1/8}, sizes: [64, 128], full: 0.1, reconstruction: 2}"
    config = config.replace("evaluate_with: best", f"evaluate_with: best, {policy}")
    record = conftest.language_model(tmp_path / "lm" / "dddd4444", config)
    assert report(record.parent) == 0
    page = Page(record.parent / "report.html").text
    assert "Vocabulary that of .data/models/Small Model goes on from .data/models/Small" in page
    assert "layers of width" not in page and "4,096 pieces" not in page
    assert "Trained under tova, 1/8 of the text a layer, heads layer_wise; validated so; each micro-batch draws one of" in page
    assert "10 % of the micro-batches keep everything; reconstruction of what was dropped with weight 2" in page
    assert "text to answers 3 : 1, of squality (split train), held out squality (split validation), answers of at most 512" in page


def figure(name, value, n=2000):
    error, row = (value * (1 - value) / n) ** 0.5, "logistic regression on byte counts"
    return Figure(name, value, error, n, unit="1", meaning="", better="higher", floor_of="", row=row)


@pytest.mark.parametrize(
    "difference, sentence",
    [
        (0.0050, "0.50 percentage points above the floor (logistic regression on byte counts)"),
        (0.0050, "paired over the examples: 1.21 points). That is less than two standard errors: this run does not show"),
        (0.0625, "more than two standard errors: the model has learned something that the floor has not."),
        (-0.0875, "8.75 percentage points below the floor"),
        (-0.0875, "the floor would have been the better classifier."),
    ],
)
def test_the_difference_to_the_floor_is_explained(difference, sentence):
    assert sentence in words.against_floor(difference, 0.0121, figure("floor", 0.6375), "byte")


def test_a_difference_without_a_recorded_error_is_not_judged():
    said = words.against_floor(0.0625, float("nan"), figure("floor", 0.6375), "byte")
    assert said.endswith("which sees nothing of the order of the bytes (its error is not recorded).")


@pytest.mark.parametrize("accuracy, clear", [(0.501, False), (0.521, False), (0.523, True)])
def test_chance_is_mentioned_unless_the_model_is_clearly_above_it(accuracy, clear):
    assert (words.against_chance(figure("accuracy", accuracy), figure("majority", 0.5)) == "") == clear


def test_the_explanation_stands_on_the_page(written, text):
    sentences = list(words.interpretation(load_run(written / "quickstart" / "aaaa1111")))
    assert len(sentences) == 1 and sentences[0] in text and "paired over the examples: 1.21 points" in text


def test_the_environment_is_stated(text):
    for stated in ("Test CPU at 3 GHz", "torch 2.11.0", "0123456789abcdef with uncommitted changes", "8.00 GiB",
                   "Date 2026-01-02", "Clock 2,596 MHz", "SHA-256 of the data c40f74a1", "SHA-256 of the model 8852bd67"):  # fmt: skip
        assert stated in text
    assert "attnlab run experiments/quickstart.yaml" in text
    assert "projection_length: 16" in text, "the whole configuration"


def test_a_clean_tree_is_stated_too(unfinished):
    assert "0123456789abcdef, no uncommitted changes" in unfinished("failed", "", git_dirty="false").text


def test_figures_that_are_told_in_the_same_words_are_named(tmp_path):
    record = conftest.classification(tmp_path / "e" / "r")
    with h5py.File(record, "r+") as file:
        for name in ("loss_test", "loss_validation"):
            conftest.write_figure(file, name, 0.69, "nat", "mean negative log-probability")
    assert report(record.parent) == 0
    page = Page(record.parent / "report.html")
    for name in ("mean negative log-probability (loss test)", "mean negative log-probability (loss validation)"):
        assert page.row(name)[1] == "0.69 nat"
    assert page.row("trained numbers"), "which nothing else is told as"


@pytest.mark.parametrize(
    "name, said",
    [
        ('tova cache.share="1/8"', "tova, share 1/8"),
        ("Luna-16 encoding.max_length=1024 seed=2", "Luna-16, max length 1024, seed 2"),
        ("model.encoder.attention=luna", "attention luna"),
        ("tova, k = 1/8", "tova, k = 1/8"),
    ],
)
def test_names_of_cases_are_words(name, said):
    assert cases.short(name) == said


def test_a_limited_evaluation_says_so(unfinished):
    page = unfinished("failed", "", limit=200).text
    assert "limited to the first 200 examples of each split" in page and "200 test examples" in page


def test_texts_of_a_record_are_escaped(unfinished):
    page = unfinished("failed", "<script>alert(1)</script> & more")
    assert "<script>alert(1)</script> & more" in page.text


def test_a_killed_run_shows_its_trusted_rows_and_says_interrupted(unfinished):
    page = unfinished("running", "")
    assert "interrupted; the same command continues it" in page.text
    assert len(page.sources) == 1, "a learning curve of what there is"


def test_a_run_that_holds_its_lock_is_running(tmp_path):
    folder = tmp_path / "quickstart" / "dddd4444"
    conftest.unfinished(folder, "running", "")
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert report(folder) == 0
    assert "is still running; what follows is as far as it has come" in Page(folder / "report.html").text


def test_only_trusted_rows_are_read(tmp_path):
    path = conftest.unfinished(tmp_path / "e" / "r", "running", "", rows_written=20)
    with h5py.File(path) as file:
        assert len(file["train/step"]) == 30
    assert load_run(path).table("/train")["step"].tolist() == list(range(10, 201, 10))


def test_a_record_that_its_writer_holds_open_can_be_read(tmp_path):
    path = conftest.unfinished(tmp_path / "e" / "r", "running", "")
    hold = "import h5py, sys; f = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout.readline() == "open\n"
        assert len(load_run(path).table("/train")) == 20
        writer.stdin.close()


def test_a_record_with_nothing_but_a_status_still_makes_a_page(tmp_path):
    folder = tmp_path / "e" / "r"
    folder.mkdir(parents=True)
    with h5py.File(folder / "run.h5", "w") as file:
        file.attrs["schema_version"], file.attrs["status"], file.attrs["error"] = np.int64(1), "failed", "no data"
    assert report(folder) == 0
    assert "no data" in Page(folder / "report.html").text


def foreign(path):
    path.write_text("step,loss\n1,0.5\n")


def other_hdf5(path):
    h5py.File(path, "w").close()


def newer(path):
    with h5py.File(path, "w") as file:
        file.attrs["schema_version"] = np.int64(3)


def cut_short(path):
    conftest.classification(path.parent / "whole")
    shutil.move(path.parent / "whole" / "run.h5", path)
    (path.parent / "whole").rmdir()
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize(
    "make, sentence",
    [
        (foreign, "run.h5 is no HDF5 file: something else wrote it or it was cut short"),
        (other_hdf5, "run.h5 is no record of attnlab: it has no attribute schema_version"),
        (newer, "run.h5 has schema version 3, made by a newer attnlab; this one reads up to 2"),
        (cut_short, "run.h5 was cut short"),
    ],
)
def test_a_file_that_is_no_record_is_refused_in_a_sentence(tmp_path, capsys, make, sentence):
    make(tmp_path / "run.h5")
    assert report(tmp_path / "run.h5") == 2
    said = capsys.readouterr().err
    assert sentence in said and len(said.splitlines()) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.h5"], "nothing is written"


@pytest.mark.parametrize("script", [REPORT, PLOTS / "learning_curve.py"])
def test_the_exit_status_of_a_refusal_is_2(tmp_path, script):
    foreign(tmp_path / "run.h5")
    done = start(script, tmp_path / "run.h5")
    assert done.returncode == 2
    assert "run.h5 is no HDF5 file" in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("place, sentence", [("missing", "/missing: No such file or directory"), ("", "holds no run")])
def test_a_place_without_runs_is_refused_in_a_sentence(tmp_path, capsys, place, sentence):
    assert report(tmp_path / place) == 2
    said = capsys.readouterr().err
    assert sentence in said and len(said.splitlines()) == 1


def test_a_page_that_cannot_be_written_is_said_in_a_sentence(tmp_path, capsys):
    folder = tmp_path / "e" / "r"
    conftest.unfinished(folder, "failed", "")
    (tmp_path / "file").touch()
    assert report(folder, "-o", tmp_path / "file" / "report.html") == 1
    said = capsys.readouterr().err
    assert "cannot write" in said and "file: File exists" in said and len(said.splitlines()) == 1
