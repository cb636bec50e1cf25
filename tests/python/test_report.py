"""scripts/report and the plots, on records written with h5py."""

import fcntl
import html.parser
import importlib.machinery
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys

import conftest
import h5py
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
REPORT = ROOT / "scripts" / "report"
PLOTS = ROOT / "scripts" / "plots"
PNG = b"\x89PNG\r\n\x1a\n"


loader = importlib.machinery.SourceFileLoader("report_script", str(REPORT))
report_script = importlib.util.module_from_spec(importlib.util.spec_from_loader("report_script", loader))
loader.exec_module(report_script)
from report import words  # noqa: E402  (the script puts its folder on the path)
from runs import Figure, Run  # noqa: E402


def start(script, *arguments):
    """The script as a user starts it."""
    command = [sys.executable, str(script), *(str(a) for a in arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def report(*arguments):
    """The report within this process, which saves loading matplotlib; its exit status."""
    return report_script.main([str(a) for a in arguments])


class Page(html.parser.HTMLParser):
    """The words of a page, what it would fetch, and whether every element is closed."""

    VOID = {"meta", "img", "br"}

    def __init__(self, path):
        super().__init__()
        self.words, self.sources, self.open = [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        assert self.open == []
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attributes):
        self.sources += [value for name, value in attributes if name in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words.append(data)


@pytest.fixture(scope="module")
def page(written, tmp_path_factory):
    """The report of the results root, made once."""
    output = tmp_path_factory.mktemp("out") / "report.html"
    done = start(REPORT, written, "-o", output)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == str(output)
    return Page(output), output.parent


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


def test_the_page_needs_no_other_file(page):
    assert page[0].sources, "the plots are inside"
    assert all(source.startswith("data:image/png;base64,") for source in page[0].sources)


def test_every_plot_also_lies_beside_the_page(page):
    names = {path.name for path in (page[1] / "plots").iterdir()}
    assert "quickstart_aaaa1111_learning_curve.png" in names
    assert "luna_speed_bbbb2222_speed_memory.png" in names
    assert "luna_text_compare_runs.png" in names
    assert len(names) == len(page[0].sources)
    assert all((page[1] / "plots" / name).read_bytes().startswith(PNG) for name in names)


def test_a_report_of_one_run_states_the_protocol(text):
    assert "at most 1,024 tokens, <CLS> and </s> included; longer texts are cut" in text
    assert "256 bytes and 5 special tokens" in text
    assert "accuracy on validation examples held out of train; test was not looked at (update 800)" in text
    assert "2,000 test examples" in text
    assert "luna (projection_length 16, tie_kv false); 123,456 parameters" in text
    assert "900 updates, batches of 32, adamw, peak learning rate 0.002, schedule linear, fp32" in text


def test_accuracies_and_floors_have_standard_errors(text):
    # sqrt(0.6425 · 0.3575 / 2000) = 0.01072, sqrt(0.6375 · 0.3625 / 2000) = 0.01075
    assert "Test accuracy 64.25 % ± 1.07 2,000" in text
    assert "Floor: logistic regression on byte counts 63.75 % ± 1.07 2,000" in text
    assert "Floor: most frequent class 50.00 % ± 1.12 2,000" in text
    assert "3 min 41 s" in text and "412.0 MiB" in text and "1.20 %" in text


def figure(name, value, n=2000):
    made = Figure.__new__(Figure)
    made.name, made.value, made.unit, made.n, made.error = name, value, "1", n, (value * (1 - value) / n) ** 0.5
    return made


@pytest.mark.parametrize(
    "accuracy, sentence",
    [
        # standard error of the difference: sqrt(0.01072² + 0.01075²) = 1.52 points
        (0.6425, "0.50 percentage points above the logistic regression"),
        (0.6425, "at most 1.52 points). That is less than two standard errors: this run does not show"),
        (0.7000, "more than two standard errors: the model has learned something of the order."),
        (0.5500, "8.75 percentage points below"),
        (0.5500, "counting bytes would have been the better classifier."),
    ],
)
def test_the_difference_to_the_floor_is_explained(accuracy, sentence):
    assert sentence in words.against_floor(figure("accuracy", accuracy), figure("floor", 0.6375), "byte")


@pytest.mark.parametrize("accuracy, clear", [(0.501, False), (0.521, False), (0.523, True)])
def test_chance_is_mentioned_unless_the_model_is_clearly_above_it(accuracy, clear):
    assert (words.against_chance(figure("accuracy", accuracy), figure("majority", 0.5)) == "") == clear


def test_the_explanation_stands_on_the_page(text):
    assert words.against_floor(figure("accuracy", 0.6425), figure("floor", 0.6375), "byte").strip() in text


def test_the_environment_is_stated(text):
    for stated in ("Test CPU at 3 GHz", "torch 2.11.0", "0123456789abcdef with uncommitted changes", "8.00 GiB"):
        assert stated in text
    assert "attnlab run experiments/quickstart.yaml" in text
    assert "projection_length: 16" in text, "the whole configuration"


def test_a_limited_evaluation_says_so(unfinished):
    assert "limited to the first 200 examples of each split" in unfinished("failed", "", limit=200).text


def test_texts_of_a_record_are_escaped(unfinished):
    page = unfinished("failed", "<script>alert(1)</script> & more")
    assert "<script>alert(1)</script> & more" in page.text


def test_a_sweep_shows_every_run_its_spread_and_its_failures(page):
    text = page[0].text
    assert "attention=luna seed=2 done 66.10 % ± 1.06" in text
    assert "attention=softmax seed=2 diverged – –" in text
    assert "attention=softmax seed=2: the loss is NaN at update 217" in text
    assert "foreign1 unreadable" in text and "run.h5 is no HDF5 file" in text
    # 65.2, 66.1, 65.5: mean 65.60, sample standard deviation 0.458
    assert "attention=luna 3 65.60 % 0.46 65.20–66.10" in text


def test_speed_and_memory_have_tables(page):
    text = page[0].text
    assert "luna-16 1 0.61 200 8.03" in text
    assert "allocator peak (MiB)" in text
    assert "textbook 1 1,843" in text
    assert "250.0 GFLOP/s" in text


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
    assert Run(path).table("/train")["step"].tolist() == list(range(10, 201, 10))


def test_a_record_that_its_writer_holds_open_can_be_read(tmp_path):
    path = conftest.unfinished(tmp_path / "e" / "r", "running", "")
    hold = "import h5py, sys; f = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout.readline() == "open\n"
        assert len(Run(path).table("/train")) == 20
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
        file.attrs["schema_version"] = np.int64(2)


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
        (newer, "run.h5 has schema version 2, made by a newer attnlab; this one reads up to 1"),
        (cut_short, "run.h5 cannot be read"),
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


@pytest.mark.parametrize("place, sentence", [("missing", "there is no file or folder"), ("", "holds no run")])
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


@pytest.mark.parametrize(
    "plot, run",
    [
        ("learning_curve", "quickstart/aaaa1111"),
        ("accuracy_by_length", "quickstart/aaaa1111"),
        ("speed_memory", "luna_speed/bbbb2222"),
    ],
)
def test_each_plot_is_a_script_of_its_own(written, tmp_path, plot, run):
    picture = tmp_path / "picture.png"
    assert start(PLOTS / f"{plot}.py", written / run / "run.h5", "-o", picture).returncode == 0
    assert picture.read_bytes().startswith(PNG)


def test_runs_can_be_compared_in_one_plot(written, tmp_path):
    records = [written / "luna_text" / name / "run.h5" for name in ("luna1", "soft1")]
    assert start(PLOTS / "compare_runs.py", *records, "-o", tmp_path / "picture.png").returncode == 0
    assert (tmp_path / "picture.png").read_bytes().startswith(PNG)


def test_a_plot_says_when_a_run_has_nothing_to_show(written, tmp_path):
    done = start(PLOTS / "speed_memory.py", written / "quickstart/aaaa1111/run.h5", "-o", tmp_path / "picture.png")
    assert done.returncode == 1
    assert "holds nothing that this plot shows" in done.stderr
    assert not (tmp_path / "picture.png").exists()
