"""scripts/gpu under signals: a report in any case, and nothing that still holds the device."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
from gpu import processes, steps  # noqa: E402


def until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.02)
    return found


def children_of(script):
    """Processes that a call has started, however far down."""
    word, found = f"{processes.MARK}={script.pid}.".encode(), []
    for place in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if any(entry.startswith(word) for entry in (place / "environ").read_bytes().split(b"\0")):
                found.append(int(place.name))
        except OSError:
            pass
    return found


@pytest.fixture
def call_in_a_run(tmp_path):
    """scripts/gpu in small, in the middle of a run of its sweep: the sweep and the run live."""
    if steps.program() is None:
        pytest.skip("the program is not built")
    words = ["--device", "cpu", "--small", "--only", "luna", "--results", tmp_path / "r", "--out", tmp_path / "o"]
    with open(tmp_path / "said", "w") as said:
        script = subprocess.Popen(list(map(str, [sys.executable, ROOT / "scripts" / "gpu", *words])), stdout=said, stderr=said)
    try:
        until(lambda: list((tmp_path / "r").glob("gpu_small_luna/*/metrics.jsonl")) or script.poll() is not None, "no run begins")
        assert script.poll() is None, (tmp_path / "said").read_text()
        assert len(children_of(script)) >= 2, "a sweep and its run"
        yield script
    finally:
        script.kill()
        script.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_in_a_report(call_in_a_run, tmp_path, number):
    call_in_a_run.send_signal(number)
    call_in_a_run.send_signal(number)
    assert call_in_a_run.wait(60) == 130, (tmp_path / "said").read_text()
    assert children_of(call_in_a_run) == []
    text = (tmp_path / "o" / "report.txt").read_text()
    assert "interrupted; the next call goes on" in text
    assert "Luna-16 length=256" in text
    assert (tmp_path / "o" / "records.tar.gz").exists()


def test_a_call_that_is_killed_leaves_what_it_had(call_in_a_run, tmp_path):
    text = (tmp_path / "o" / "report.txt").read_text()
    assert "The call has not ended: more is to come." in text and "copying" in text, "of the rates"
    assert (tmp_path / "o" / "records.tar.gz").exists()
    call_in_a_run.kill()
    call_in_a_run.wait()
    until(lambda: not children_of(call_in_a_run), "a child goes on without the script", 30)


DEAF = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
open(sys.argv[1] + f".{os.getpid()}", "w").close()
time.sleep(600)
"""


@pytest.mark.parametrize("ends", [False, True])
def test_what_does_not_hear_is_killed(tmp_path, monkeypatch, ends):
    """A program and its child in a session of its own, both deaf to SIGTERM; or the child alone, left behind."""
    monkeypatch.setattr(processes, "STOPPING", 0.5)
    monkeypatch.setattr(processes, "LEAVING", 0.2)
    text = DEAF.replace("    os.setsid()\n", "    os.setsid()\nelse:\n    sys.exit(3)\n") if ends else DEAF
    status, over = processes.run([sys.executable, "-c", text, tmp_path / "ran"], 2.0, tmp_path / "log", tmp_path, dict(os.environ))
    pids = [int(path.suffix[1:]) for path in tmp_path.glob("ran.*")]
    assert (status, over) == ((3, False) if ends else (-signal.SIGKILL, True))
    assert ends or len(pids) == 2
    for pid in pids:
        place = pathlib.Path(f"/proc/{pid}/stat")
        assert not place.exists() or place.read_text().rpartition(")")[2].split()[0] == "Z", pid
