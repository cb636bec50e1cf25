"""Where the clock of scripts/gpu ends in the middle: of a cell of a sweep, of a test program. The next call goes on."""

import csv
import pathlib
import subprocess
import sys
import time
import types

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
from gpu import device_tests, drive, processes, records, steps  # noqa: E402

EXPERIMENT = f"""\
name: gpu_small_stopped
task: speed
device: cpu
include: {ROOT}/configs/model/small.yaml
length: 64
batch_size: 1
phases: [infer]
warm_up: 1
product_size: 256
sweep:
  cases:
    - {{label: short, repetitions: 2}}
    - {{label: long, repetitions: 1000}}
"""


def options_in(place):
    return types.SimpleNamespace(minutes=4.0, only=None, device="cpu", small=True, results=place / "r", out=place / "o")


def runs(place, experiment):
    """Their records by label."""
    found = map(records.of, records.folders(place / "r", experiment))
    return {record.words("label"): record for record in found}


@pytest.fixture
def two_cells(tmp_path, monkeypatch):
    """A sweep of two cells behind the rates."""
    if steps.program() is None:
        pytest.skip("the program is not built")
    experiment = tmp_path / "stopped.yaml"
    experiment.write_text(EXPERIMENT)
    plan = [steps.planned(True, "luna")[0], steps.Step("luna", experiment)]
    monkeypatch.setattr(steps, "planned", lambda small, only: plan)
    return experiment


@pytest.fixture
def clock_ends_in_the_long_cell(tmp_path, two_cells, monkeypatch):
    """The first wait for the sweep is over when its second cell has recorded a row."""

    class Stopped(subprocess.Popen):
        waited = False

        def wait(self, timeout=None):
            if "sweep" not in self.args or self.waited:
                return super().wait(timeout)
            self.waited = True
            while not runs(tmp_path, two_cells).get("long", records.Record()).rows.get("/speed"):
                assert self.poll() is None, "the sweep has ended"
                time.sleep(0.01)
            raise subprocess.TimeoutExpired(self.args, timeout)

    monkeypatch.setattr(processes.subprocess, "Popen", Stopped)
    yield
    monkeypatch.undo()


def rows(place):
    with open(place / "o" / "cells.csv", newline="") as file:
        return {row["cell"]: row for row in csv.DictReader(file)}


def test_a_cell_stopped_in_the_middle_is_done_by_the_next_call(tmp_path, two_cells, clock_ends_in_the_long_cell, monkeypatch):
    assert drive.main(options_in(tmp_path)) == 0
    assert {cell: row["status"] for cell, row in rows(tmp_path).items()} == {"short": "done", "long": "interrupted"}
    assert "stopped: the time was used up in the middle; the next call goes on" in (tmp_path / "o" / "report.txt").read_text()
    monkeypatch.setattr(processes.subprocess, "Popen", processes.subprocess.Popen.__mro__[1])
    assert drive.main(options_in(tmp_path)) == 0
    assert {cell: row["status"] for cell, row in rows(tmp_path).items()} == {"short": "done", "long": "done"}
    assert {label: record.attributes["sessions"] for label, record in runs(tmp_path, two_cells).items()} == {"short": 1, "long": 2}
    assert "All was done." in (tmp_path / "o" / "report.txt").read_text()


SLOW_ONCE = """#!/bin/sh
echo begins
echo '[ RUN      ] CudaA.a'
if [ ! -e "$0.ran" ]; then touch "$0.ran"; exec sleep 600; fi
for word; do case $word in --gtest_output=xml:*) xml=${word#--gtest_output=xml:};; esac; done
echo '<testsuites><testsuite><testcase name="a" classname="CudaA" status="run" result="completed"/></testsuite></testsuites>' >"$xml"
"""


def script(place, text):
    place.write_text(text)
    place.chmod(0o755)
    return place


@pytest.fixture
def tested(tmp_path, monkeypatch):
    """The device tests of a call that has so many seconds, with these programs."""
    monkeypatch.setattr(steps, "program", lambda: tmp_path / "attnlab")

    def call(seconds, *programs, only=None, commit="c0ffee"):
        monkeypatch.setattr(steps, "test_programs", lambda: iter(programs))
        options = options_in(tmp_path)
        options.only = only
        call = drive.Call(options)
        call.commit = commit
        for folder in (call.results, call.out):
            folder.mkdir(exist_ok=True)
        device_tests.run(call, seconds, "a card")
        return call

    return call


def test_a_test_program_stopped_by_the_clock_begins_anew(tmp_path, tested):
    program = script(tmp_path / "test_slow", SLOW_ONCE)
    never = script(tmp_path / "test_never", "#!/bin/sh\ntouch \"$0.ran\"\n")
    first = tested(1.0, program, never)
    assert first.tests == [device_tests.Tested("test_slow")], "nothing has failed"
    assert first.reasons == {"tests": "the time was used up in the middle of test_slow; the next call begins it anew, and test_never behind it"}
    assert not (tmp_path / "test_never.ran").exists()
    second = tested(60.0, program)
    assert second.tests == [device_tests.Tested("test_slow", 1)]
    assert second.reasons == {}
    assert (tmp_path / "o" / "tests.log").read_text().count("begins") == 1, "of the last call alone"


def test_what_passed_is_not_run_again(tmp_path, tested):
    program = script(tmp_path / "test_slow", SLOW_ONCE)
    (tmp_path / "test_slow.ran").touch()
    assert not tested(60.0, program).tests[0].earlier
    assert tested(60.0, program).tests == [device_tests.Tested("test_slow", 1, earlier=True)]
    assert not tested(60.0, program, commit="decaf").tests[0].earlier, "another commit"
    assert not tested(60.0, program, only="tests", commit="decaf").tests[0].earlier, "asked for"
    script(program, SLOW_ONCE + "\n")
    assert not tested(60.0, program, commit="decaf").tests[0].earlier, "another program"


DIES = """#!/bin/sh
echo '[ RUN      ] CudaA.Passes'
echo '[       OK ] CudaA.Passes (3 ms)'
echo '[ RUN      ] CudaA.Fails/0'
echo '[  FAILED  ] CudaA.Fails/0, where GetParam() = 4 (3 ms)'
echo '[ RUN      ] CudaA.Dies'
exit 134
"""


def test_a_program_that_dies_is_counted_by_its_words(tmp_path, tested):
    call = tested(60.0, script(tmp_path / "test_dies", DIES))
    failed = ["CudaA.Fails/0", "CudaA.Dies (did not end)", "ended with status 134 (see tests.log)"]
    assert call.tests == [device_tests.Tested("test_dies", 1, failed)]


HANGS = """#!/bin/sh
echo '[ RUN      ] CudaA.Passes'
echo '[       OK ] CudaA.Passes (3 ms)'
echo '[ RUN      ] CudaA.Hangs'
exec sleep 600
"""


def test_a_program_that_hangs_has_failed_and_costs_no_other_its_time(tmp_path, tested, monkeypatch):
    monkeypatch.setattr(device_tests, "PROGRAM_SECONDS", 1)
    (tmp_path / "test_slow.ran").touch()
    call = tested(60.0, script(tmp_path / "test_hangs", HANGS), script(tmp_path / "test_slow", SLOW_ONCE))
    failed = ["CudaA.Hangs (did not end)", "stopped after 1 s (see tests.log)"]
    assert call.tests == [device_tests.Tested("test_hangs", 1, failed), device_tests.Tested("test_slow", 1)]
    assert call.reasons == {}


BREAKS = """#!/bin/sh
for word; do case $word in --gtest_filter=*) only=${word#--gtest_filter=};; esac; done
case $only in CudaA.Behind) exit 0;; CudaA.*) exit 1;; esac
for test in First Behind Worse; do echo "[ RUN      ] CudaA.$test"; echo "[  FAILED  ] CudaA.$test (3 ms)"; done
exit 1
"""


def test_what_failed_behind_another_is_tried_alone(tmp_path, tested):
    call = tested(60.0, script(tmp_path / "test_breaks", BREAKS))
    failed = ["CudaA.First", "CudaA.Worse", "ended with status 1 (see tests.log)"]
    assert call.tests == [device_tests.Tested("test_breaks", 0, failed, alone=["CudaA.Behind"])]


REQUIRING = {
    "test_kernels": "CudaDevice.StepEqualsTheNativeOne",
    "test_cache": "*CudaDropsWhatTheCpuDrops/tova_1KeyHeads",
    "test_attention": "CudaLuna.*",
    "test_models": "CudaDecoder.*",
}


@pytest.mark.parametrize("name", steps.TESTS)
def test_a_device_test_is_not_skipped_where_a_gpu_is_required(tmp_path, name):
    """One of each program: skipped here, and a failure where ATTNLAB_REQUIRE_CUDA=1, as scripts/gpu --device cuda sets it."""
    program = next((p for p in steps.test_programs() if p.name == name), None) if steps.program() else None
    if program is None:
        pytest.skip(f"{name} is not built")

    def outcome(device):
        options = options_in(tmp_path)
        options.device = device
        xml, log = tmp_path / f"{device}.xml", tmp_path / f"{device}.log"
        status, _ = drive.Call(options).run([program, f"--gtest_filter={REQUIRING[name]}", f"--gtest_output=xml:{xml}"], 300, log)
        return (status, *map(bool, device_tests.count(xml))), log.read_text()

    here, log = outcome("cpu")
    if here[1]:
        pytest.skip("there is a GPU here")
    assert here == (0, False, False, True), log
    required, log = outcome("cuda")
    assert required == (1, False, True, False), log
    assert "ATTNLAB_REQUIRE_CUDA=1, but " in log
