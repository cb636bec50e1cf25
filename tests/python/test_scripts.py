"""The shell scripts' own logic: what is counted, and what a wrong command says."""

import importlib.util
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"

PASSING = '<testcase name="Works" status="run" result="completed" time="0" classname="Suite" />'
FAILING = '<testcase name="Breaks" status="run" classname="Suite"><failure message="a.cpp:1&#x0A;Expected: 1" /></testcase>'
# As GoogleTest 1.12 writes it: the place first, then the message.
SKIPPED = (
    '<testcase name="Rests" status="run" result="skipped" classname="Suite">'
    '<skipped message="a.cpp:7&#x0A;no CUDA device here"><![CDATA[a.cpp:7\nno CUDA device here]]></skipped></testcase>'
)
DISABLED = '<testcase name="DISABLED_Sleeps" status="notrun" result="suppressed" classname="Suite" />'


@pytest.fixture
def results(tmp_path):
    """Builds what ctest and the test programs leave: program(name, cases, ok) adds one."""
    (tmp_path / "xml").mkdir()
    programs = []

    def program(name, cases, ok=True):
        programs.append(f'<testcase name="{name}" classname="{name}" status="{"run" if ok else "fail"}" />')
        (tmp_path / "ctest.junit").write_text(f"<testsuite>{''.join(programs)}</testsuite>")
        if cases is not None:
            (tmp_path / "xml" / f"{name}.xml").write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")

    program.folder = tmp_path
    return program


def count(folder, *arguments):
    """Exit status and lines of count_tests.py."""
    command = [sys.executable, SCRIPTS / "lib/count_tests.py", folder / "ctest.junit", folder / "xml", *arguments]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_counts_are_added_over_programs_and_pytest(results):
    results("core", PASSING * 2)
    results("data", PASSING + SKIPPED)
    python = results.folder / "python.xml"
    python.write_text('<testsuites><testsuite><testcase name="t" classname="m" /></testsuite></testsuites>')
    status, lines = count(results.folder, "--pytest", python)
    assert status == 0
    assert lines[-1] == "4 passed, 0 failed, 1 skipped"


def test_skips_are_listed_with_their_reasons(results):
    results("core", PASSING + SKIPPED + DISABLED)
    _, lines = count(results.folder)
    assert "  Suite.Rests: no CUDA device here" in lines
    assert "  Suite.DISABLED_Sleeps: disabled in the source" in lines
    assert lines[-1] == "1 passed, 0 failed, 2 skipped"


def test_a_failure_fails_the_whole(results):
    results("core", PASSING + FAILING, ok=False)
    status, lines = count(results.folder)
    assert status == 1
    assert lines[-1] == "1 passed, 1 failed, 0 skipped"


def test_a_crash_before_the_results_are_written_counts_as_a_failure(results):
    results("core", PASSING)
    results("train", None, ok=False)
    status, lines = count(results.folder)
    assert status == 1
    assert any("train: ended without writing its results" in line for line in lines)
    assert lines[-1] == "1 passed, 1 failed, 0 skipped"


def test_results_cut_short_count_as_a_failure(results):
    results("core", PASSING)
    results("train", PASSING)
    file = results.folder / "xml/train.xml"
    file.write_text(file.read_text()[:-20])
    assert count(results.folder)[1][-1] == "1 passed, 1 failed, 0 skipped"


def test_a_program_that_fails_after_its_last_test_counts_as_a_failure(results):
    """A sanitizer that finds something while the process ends."""
    results("core", PASSING, ok=False)
    status, lines = count(results.folder)
    assert status == 1
    assert lines[-1] == "1 passed, 1 failed, 0 skipped"


def test_no_test_at_all_is_a_failure(results):
    results("core", "")
    status, lines = count(results.folder)
    assert status == 1
    assert lines[-1] == "0 passed, 0 failed, 0 skipped"


def test_pytest_that_died_counts_as_a_failure(results):
    results("core", PASSING)
    status, lines = count(results.folder, "--pytest", results.folder / "absent.xml")
    assert status == 1
    assert lines[-1] == "1 passed, 1 failed, 0 skipped"


@pytest.mark.parametrize(
    "command, words",
    [
        (["setup", "--pyton-torch"], "unknown argument '--pyton-torch'"),
        (["test", "--fast"], "unknown argument '--fast'"),
        (["fuzz", "parsers"], "unknown target 'parsers'; there are safetensors token_lines"),
        (["fuzz", "tokenizer", "5m"], "SECONDS is a whole number above 0, not '5m'"),
        (["quickstart", "train.updates"], "'train.updates' is no KEY=VALUE"),
        (["quickstart", "--mirror"], "--mirror needs a value"),
    ],
)
def test_a_wrong_command_says_so_and_does_nothing(command, words):
    done = subprocess.run([str(SCRIPTS / command[0]), *command[1:]], capture_output=True, text=True)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("script", ["setup", "build", "test", "quickstart", "fuzz"])
def test_help_is_the_comment_at_the_top(script):
    done = subprocess.run([str(SCRIPTS / script), "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert f"scripts/{script}" in done.stdout


@pytest.mark.parametrize("name", ["torch.txt", "torch-python.txt", "requirements.txt"])
def test_every_python_package_is_pinned(name):
    lines = (line.split("#")[0].strip() for line in (SCRIPTS / name).read_text().splitlines())
    assert all(line.count("==") == 1 for line in lines if line)


@pytest.fixture
def bare_system(tmp_path):
    """Runs scripts/setup with the basic commands alone, and with fakes that the test adds."""

    def run(**fakes):
        for name in ("bash", "env", "dirname", "basename", "sed", "awk", "sort", "comm", "mktemp", "rm", "cat"):
            (tmp_path / name).symlink_to(shutil.which(name))
        for name, text in fakes.items():
            (tmp_path / name.replace("_", "-")).write_text(f"#!{shutil.which('bash')}\n{text}\n")
            (tmp_path / name.replace("_", "-")).chmod(0o755)
        environment = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
        return subprocess.run([str(SCRIPTS / "setup")], capture_output=True, text=True, env=environment)

    return run


def test_a_system_without_apt_learns_what_is_needed(bare_system):
    done = bare_system()
    assert done.returncode == 1
    assert "yaml-cpp, HDF5, CLI11" in done.stderr and len(done.stderr.splitlines()) == 1


def test_without_root_and_sudo_the_missing_packages_are_named(bare_system):
    done = bare_system(apt_get="exit 1", dpkg_query="echo 'g++ installed'; echo 'cmake config-files'", id="echo 1000")
    assert done.returncode == 1
    assert "root or sudo is needed" in done.stderr
    assert " cmake " in done.stderr and "g++" not in done.stderr


def test_a_failed_installation_shows_the_reason(bare_system):
    done = bare_system(apt_get="echo 'E: no network' >&2; exit 100", dpkg_query="exit 1", id="echo 0", tail="cat \"$3\"")
    assert done.returncode == 1
    assert "E: no network" in done.stderr and "could not be installed" in done.stderr
