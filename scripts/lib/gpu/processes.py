"""The child processes of a call: stopped by the clock or a signal so that they can be gone on with, killed with all that they
started where they do not end. Runs of a sweep are in process groups of their own; what belongs to a call is known by its mark in the
environment, which every child inherits."""

import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import time

MARK = "ATTNLAB_GPU_CALL"
STOPPING = 60  # seconds that a run has to save itself when its time is over
STOPPING_SOON = 15  # and where the call was interrupted: who sends SIGTERM sends SIGKILL next, Slurm after 30 seconds
LEAVING = 5  # seconds between SIGTERM and SIGKILL for what a child left behind
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)  # before any fork


@contextlib.contextmanager
def signals_interrupt():
    """SIGTERM and SIGHUP end a call as Ctrl-C does: with a report. After the first one no other is heard."""
    heard = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in heard}

    def interrupt(number, frame):
        for each in heard:
            signal.signal(each, lambda *_: None)
        raise KeyboardInterrupt

    for number in heard:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop_with_parent():
    """In a child before it becomes its program: where the script is killed outright, it is asked to stop."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def marked(mark):
    """The processes that live and carry the mark."""
    word, found = f"{MARK}={mark}".encode(), []
    for place in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if word in (place / "environ").read_bytes().split(b"\0"):  # of one that has ended it is empty
                found.append(int(place.name))
    return found


def clear(mark):
    """Ends what still carries the mark: by SIGTERM, then by SIGKILL."""
    for number, seconds in ((signal.SIGTERM, LEAVING), (signal.SIGKILL, 2)):
        end = time.monotonic() + seconds
        left = marked(mark)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        while left and time.monotonic() < end:
            time.sleep(0.05)
            left = marked(mark)


def stop(child, mark, seconds):
    """Asks a child to stop, which passes it on to its own; what has not ended by then is killed."""
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        clear(mark)


def run(words, seconds, log, folder, environment):
    """The program's exit status, and whether it was stopped because the seconds were over."""
    mark = f"{os.getpid()}.{time.monotonic_ns()}"
    over = False
    with open(log, "ab") as output:
        child = subprocess.Popen(
            list(map(str, words)), stdout=output, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True,
            env={**environment, MARK: mark}, preexec_fn=stop_with_parent,
        )  # fmt: skip
        try:
            child.wait(max(1.0, seconds))
        except subprocess.TimeoutExpired:
            over = True
            stop(child, mark, STOPPING)
        except BaseException:
            stop(child, mark, STOPPING_SOON)
            raise
        finally:
            clear(mark)
    return child.poll(), over
