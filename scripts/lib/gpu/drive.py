"""Runs the steps of a call by the clock: each ends alone, with a reason where it did not do all."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

from gpu import carry, records, report, steps

STOPPING = 60  # seconds that a run has to save itself
DEVICE_TESTS = "*Cuda*:*DeviceCheck*:*WrongDecision*"


class Clock:
    """The minutes of a call, and which of them belong to which part."""

    def __init__(self, minutes, only):
        self.start = time.monotonic()
        self.seconds = minutes * 60
        self.only = only

    def elapsed(self):
        return time.monotonic() - self.start

    def left(self, part):
        end = 1.0 if part == self.only else steps.PART_ENDS[part]
        return self.seconds * end - self.elapsed()


class Call:
    def __init__(self, options):
        self.options = options
        self.plan = steps.planned(options.small, options.only)
        self.program = steps.program()
        self.results = (options.results or steps.ROOT / "results").resolve()
        self.out = (options.out or steps.ROOT / "gpu-results").resolve()
        self.clock = Clock(options.minutes, options.only)
        self.reasons = {}  # of a step: why it did not do all
        self.tests = []

    def overrides(self, step):
        words = [f"results_folder={self.results}", *steps.data_words(step)]
        if step.name == "throughput_7b":
            budget, _ = self.budget()
            if budget:
                words.append(f"memory_budget={budget}")
        return words

    def budget(self):
        """GiB that a batch may take of the GPU, or None for what the experiment says; and where that comes from."""
        state = records.newest(self.results, self.plan[0].experiment).words("gpu_state")
        for share, kind, of in ((0.95, "free", "what was free when the rates were measured"), (0.9, "in all", "all of it, as NVML does not say what is free")):
            if found := re.search(rf"([\d.]+) GiB {kind}", state):
                return int(share * float(found[1])), f"{share:.0%} of {of}"
        return None, "what the experiment says, since the driver says nothing of its memory"

    def run(self, words, seconds, log):
        """The program's exit status and its last words; stopped when the seconds are over, so that it can be gone on with."""
        with open(log, "ab") as output:
            child = subprocess.Popen(
                list(map(str, words)), stdout=output, stderr=subprocess.STDOUT, cwd=steps.ROOT, start_new_session=True, env=self.environment()
            )
            over = False
            try:
                child.wait(max(1.0, seconds))
            except subprocess.TimeoutExpired:
                over = True
                child.send_signal(signal.SIGTERM)
                try:
                    child.wait(STOPPING)
                except subprocess.TimeoutExpired:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
            except BaseException:  # Ctrl-C: runs are stopped as by the clock
                child.send_signal(signal.SIGTERM)
                child.wait()
                raise
        return child.returncode, over

    def environment(self):
        extra = {"ATTNLAB_REQUIRE_CUDA": "1"} if self.options.device == "cuda" else {}
        return {**os.environ, **extra}

    def last_words(self, log):
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        told = next((line for line in reversed(lines) if "error: " in line), lines[-1] if lines else "")
        return told.rpartition("error: ")[2].strip()

    def do(self, step):
        left = self.clock.left(step.part)
        if left < (steps.LEAST_TRAINING if step.part == "train" else 1):
            self.reasons[step.name] = "the time is used up; the next call does it"
            return
        if lacking := steps.lacks(step):
            self.reasons[step.name] = lacking
            return
        say(f"{step.name} (at most {left / 60:.1f} minutes)")
        if step.experiment is None:
            self.test(left)
            return
        log = self.results / "gpu_steps.log"
        place = log.stat().st_size if log.exists() else 0
        command = [self.program, "sweep", step.experiment, "--in-order"] if step.is_sweep else [self.program, "run", step.experiment]
        status, over = self.run([*command, *self.overrides(step)], left, log)
        with open(log, "rb") as text:
            text.seek(place)
            (self.results / ".last.log").write_bytes(text.read())
        if over:
            self.reasons[step.name] = "the time was used up in the middle; the next call goes on"
        elif status != 0:
            self.reasons[step.name] = self.last_words(self.results / ".last.log")
            if step.part == "rates" and status == 2:  # nothing can run: no device, an old driver, another PyTorch
                raise SystemExit(f"error: {self.reasons[step.name]}")

    def test(self, seconds):
        log = self.out / "tests.log"
        log.unlink(missing_ok=True)
        end = time.monotonic() + seconds
        programs = list(steps.test_programs())
        if not programs:
            self.reasons["tests"] = "the test programs are not there: scripts/build " + " ".join(steps.TESTS)
        for program in programs:
            xml = self.results / f"{program.name}.xml"
            xml.unlink(missing_ok=True)
            status, over = self.run([program, f"--gtest_filter={DEVICE_TESTS}", f"--gtest_output=xml:{xml}"], end - time.monotonic(), log)
            passed, failed, skipped = count(xml)
            if over:
                self.reasons["tests"] = f"the time was used up in the middle of {program.name}; the next call begins them anew"
            elif status != 0 and not failed:
                failed.append(f"ended with status {status} (see tests.log)")
            self.tests.append((program.name, passed, failed, skipped))


def count(xml):
    """Passed, and names of failed and of skipped tests; none where the program wrote nothing."""
    if not xml.exists():
        return 0, [], []
    passed, failed, skipped = 0, [], []
    for case in ElementTree.parse(xml).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.find("failure") is not None:
            failed.append(name)
        elif case.find("skipped") is not None or case.get("result") == "skipped":
            skipped.append(name)
        elif case.get("status") == "run":
            passed += 1
    return passed, failed, skipped


def say(line):
    print(f"gpu: {line}", flush=True)


def main(options):
    call = Call(options)
    if call.program is None:
        print("error: the program attnlab is not there: scripts/build cuda makes it, or unpack what scripts/bundle packs", file=sys.stderr)
        return 2
    call.results.mkdir(parents=True, exist_ok=True)
    call.out.mkdir(parents=True, exist_ok=True)
    carry.bring_back(call.out, call.results)
    stopped = ""
    try:
        for step in call.plan:
            call.do(step)
    except KeyboardInterrupt:
        stopped = "interrupted; the next call goes on"
    except SystemExit as refusal:
        print(refusal, file=sys.stderr)
        return 2
    text = report.write(call, stopped)
    carry.pack(call.out, call.results, call.plan)
    text += report.judge(call)
    print(text)
    say(f"{call.clock.elapsed():.0f} s; what to carry away is in {call.out}")
    failed = any(failures for _, _, failures, _ in call.tests)
    return 130 if stopped else 1 if failed or any(cell.status == "failed" for cell in report.all_cells(call)) else 0
