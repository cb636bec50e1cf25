"""Runs the steps of a call by the clock: each ends alone, with a reason where it did not do all."""

import os
import re
import subprocess
import sys
import time

from gpu import carry, device_tests, processes, records, report, steps

RESERVED = 0.06, 90.0  # of a call's time, and at most so many seconds: stopping what runs last, the tables, packing

NEAR_BUDGET = 3  # GiB, less than the tenth or twentieth of the memory that is left free


class Clock:
    """The minutes of a call, and which of them belong to which part."""

    def __init__(self, minutes, only):
        self.start = time.monotonic()
        self.seconds = minutes * 60 - min(RESERVED[0] * minutes * 60, RESERVED[1])
        self.only = only

    def elapsed(self):
        return time.monotonic() - self.start

    def left(self, step):
        end = 1.0 if step.part == self.only else step.end or steps.PART_ENDS[step.part]
        return self.seconds * end - self.elapsed()


class Call:
    def __init__(self, options):
        self.options = options
        self.plan = steps.planned(options.small, options.only)
        self.reported = steps.experiments(steps.planned(options.small, None))  # whatever part was asked for
        self.program = steps.program()
        self.results = (options.results or steps.ROOT / "results").resolve()
        self.out = (options.out or steps.ROOT / "gpu-results").resolve()
        self.clock = Clock(options.minutes, options.only)
        self.reasons = {}  # of a step: why it did not do all
        self.tests = []
        self.rates = {}
        self.cells = []
        self.taken = {}  # cells by experiment
        self.commit = ""  # of the program

    def overrides(self, step):
        words = [f"results_folder={self.results}", *steps.data_words(step)]
        if step.name == "throughput_7b":
            budget, _ = self.budget()
            if budget:
                words.append(f"memory_budget={budget}")
        return words

    def rates_record(self):
        return records.newest(self.results, self.plan[0].experiment)

    def budget(self):
        """GiB that a batch may take of the GPU, or None for what the experiment says; and where that comes from."""
        state, gpu = self.rates_record().words("gpu_state"), self.rates_record().words("gpu")
        for share, kind, of in ((0.95, "free", "what was free when the rates were measured"), (0.9, "in all", "all of it, as NVML does not say what is free")):
            if found := re.search(rf"([\d.]+) GiB {kind}", state):
                return self.kept_budget(int(share * float(found[1])), gpu), f"{share:.0%} of {of}"
        return None, "what the experiment says, since the driver says nothing of its memory"

    def kept_budget(self, gib, gpu):
        """An earlier call's for this GPU where it is about the same: it is part of a run's id, and every call measures what is free."""
        kept = self.results / "gpu_budget.txt"
        before = kept.read_text().split(" ", 1) if kept.exists() else ["0", ""]
        if before[1] == gpu and abs(int(before[0]) - gib) <= NEAR_BUDGET:
            return int(before[0])
        if self.results.is_dir():
            kept.write_text(f"{gib} {gpu}")
        return gib

    def run(self, words, seconds, log):
        """The program's exit status, and whether its time was over."""
        extra = {"ATTNLAB_REQUIRE_CUDA": "1"} if self.options.device == "cuda" else {}
        return processes.run(words, seconds, log, steps.ROOT, {**os.environ, **extra})

    def ask(self, *words):
        """A command of the program that measures nothing, from where its runs are started: paths of the data are held against that."""
        return subprocess.run(list(map(str, [self.program, *words])), capture_output=True, text=True, cwd=steps.ROOT)

    def do(self, step):
        self.reasons.pop(step.name, None)
        left = self.clock.left(step)
        if left < (steps.LEAST_TRAINING if step.part == "train" else 1):
            self.reasons[step.name] = "the time is used up; the next call does it"
        elif lacking := steps.lacks(step):
            self.reasons[step.name] = lacking
        elif step.experiment is None:
            say(f"tests (at most {left / 60:.1f} minutes)")
            device_tests.run(self, left, self.rates_record().words("gpu") or self.options.device)
        else:
            say(f"{step.name}{', what is asked of a GPU' if step.first else ''} (at most {left / 60:.1f} minutes)")
            for command in self.commands(step):
                if self.over(step, command):
                    return

    def commands(self, step):
        """The program's, one after the other. Rates are measured by every call: clocks, commit and device may be others."""
        if not step.is_sweep:
            fresh = ["--fresh"] if step.part == "rates" else []
            return [["run", step.experiment, *fresh]]
        sweep = ["sweep", step.experiment, "--in-order"]
        if records.any_failed(self.results, step.experiment):
            sweep.append("--retry-failed")
        return [[*sweep, "--index", index] for index in step.first] or [sweep]

    def over(self, step, command):
        """Runs a command of a step; whether the time ended before it. Where it did not do all there is a reason then. One cell has half
        of what is left: should it hang, the others are measured all the same."""
        left = self.clock.left(step)
        seconds = left / 2 if "--index" in command else left
        log, last = self.results / "gpu_steps.log", self.results / ".last.log"
        place = log.stat().st_size if log.exists() else 0
        status, over = self.run([self.program, *command, *self.overrides(step)], seconds, log)
        with open(log, "rb") as text:
            text.seek(place)
            last.write_bytes(text.read())
        if over:
            self.reasons[step.name] = "the time was used up in the middle; the next call goes on"
        elif status != 0:
            self.reasons[step.name] = last_words(last)
            if step.part == "rates" and status == 2:  # nothing can run: no device, an old driver, another PyTorch
                raise SystemExit(f"error: {self.reasons[step.name]}")
        return over and self.clock.left(step) < 1


def last_words(log):
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    told = next((line for line in reversed(lines) if "error: " in line), lines[-1] if lines else "")
    return told.rpartition("error: ")[2].strip()


def say(line):
    print(f"gpu: {line}", flush=True)


def bring_back(call):
    """The records, a training's checkpoint, and whether it is gone on with: only by a run of the same id, which options and data make."""
    carry.bring_back_records(call.out, call.results)
    folder = carry.bring_back(call.out, call.results)
    if folder is None:
        return
    training = next(step for step in call.reported if step.name in steps.TRAININGS)
    if folder.name in [run["id"] for run in report.runs_of(call, training)[0]]:
        say(f"the training goes on from the checkpoint in {call.out}")
    else:
        say(f"the checkpoint in {call.out} is of another model or other data than the training here (run {folder.name}), which begins anew")


def do_all(call):
    """Every step, and after each one all that is known by then in OUT: whoever ends this script outright loses one step at most."""
    step = None
    try:
        bring_back(call)
        for step in call.plan:
            call.do(step)
            report.take(call, step)
            put_out(call, "The call has not ended: more is to come.")
        return finish(call, ""), ""
    except KeyboardInterrupt:
        stopped = "interrupted; the next call goes on"
        if step is not None:
            report.take(call, step)
            put_out(call, stopped)
        return finish(call, stopped), stopped


def finish(call, stopped):
    """What was not begun is said as well."""
    for step in call.reported:
        if call.options.only in (None, step.part):
            report.take(call, step, again=False)
    return put_out(call, stopped)


def put_out(call, stopped):
    text = report.write(call, stopped)
    carry.pack(call.out, call.results, call.reported)
    return text + report.judge(call)


def main(options):
    call = Call(options)
    if call.program is None:
        print("error: the program attnlab is not there: scripts/build cuda makes it, or unpack what scripts/bundle packs", file=sys.stderr)
        return 2
    call.results.mkdir(parents=True, exist_ok=True)
    call.out.mkdir(parents=True, exist_ok=True)
    call.commit = steps.commit_told(call.ask("--version").stdout)
    try:
        with processes.signals_interrupt():
            text, stopped = do_all(call)
    except SystemExit as refusal:
        print(refusal, file=sys.stderr)
        return 2
    print(text)
    say(f"{call.clock.elapsed():.0f} s; what to carry away is in {call.out}")
    failed = any(tested.failed for tested in call.tests)
    return 130 if stopped else 1 if failed or any(cell.status == "failed" for cell in call.cells) else 0
