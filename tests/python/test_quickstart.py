"""The steps of scripts/quickstart and their order, in a copy of scripts/ where set-up and build do nothing and the
binary is a small program that notes how it was called and writes a record. The real thing runs in .ci/run."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from fetch_server import make_archive

ROOT = pathlib.Path(__file__).resolve().parents[2]

BINARY = """#!{python}
import os, pathlib, sys
sys.path.insert(0, {tests!r})
from test_closing_summary import figures, write_record
with open({log!r}, "a") as log:
    print(*sys.argv[1:], file=log)
experiment = pathlib.Path(sys.argv[2]).stem
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
    binary.write_text(BINARY.format(python=sys.executable, tests=str(ROOT / "tests/python"), log=str(log)))
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


def test_a_named_mirror_without_the_set_is_an_error(project, tmp_path):
    done = project("--mirror", str(tmp_path))
    assert done.returncode == 2
    assert "has neither" in done.stderr
    assert project.calls() == []


@pytest.mark.parametrize("status", [1, 2, 130])
def test_the_status_of_the_run_is_passed_on(project, mirror, status):
    done = project("--mirror", str(mirror), TEST_STATUS=str(status))
    assert done.returncode == status
    assert "Result" not in done.stdout
