"""The device tests of every kernel: run by the clock, counted, and not run again where they passed with the same programs on the
same device."""

import dataclasses
import json
import re
import time
import xml.etree.ElementTree as ElementTree

from gpu import steps

FILTER = "*Cuda*:*DeviceCheck*:*WrongDecision*"

DID_NOT_END = " (did not end)"
PROGRAM_SECONDS = 150  # of one program, after which it hangs
ALONE = 10, 30  # tests that failed behind another and are tried alone, and seconds of each


@dataclasses.dataclass
class Tested:
    name: str
    passed: int = 0
    failed: list = dataclasses.field(default_factory=list)
    skipped: list = dataclasses.field(default_factory=list)
    alone: list = dataclasses.field(default_factory=list)  # failed behind another, and pass by themselves
    earlier: bool = False  # in another call


def known(results):
    """What earlier calls found, by program."""
    file = results / "gpu_tests.json"
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):
        return {}


def remember(results, tested, of):
    everything = {**known(results), tested.name: {"of": of, "passed": tested.passed, "failed": tested.failed, "skipped": tested.skipped, "alone": tested.alone}}
    (results / "gpu_tests.json").write_text(json.dumps(everything, indent=1))


def recorded(results, of, name):
    """What an earlier call found of a program; nothing where it was another program, commit or device."""
    found = known(results).get(name)
    return Tested(name, found["passed"], found["failed"], found["skipped"], found.get("alone", []), True) if found and found["of"] == of else None


def identity(program, commit, device):
    """What a result is of: the commit, the device, the files of the program and of the operators."""
    root = steps.program().parent
    files = [program, root / "lib" / program.name, *sorted(root.rglob("libattnlab_ops*.so"))]
    return [commit, device, *(f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files if file.is_file())]


def run(call, seconds, device):
    """All programs, until the time is over; `device` names what they run on."""
    log = call.out / "tests.log"
    programs, end, of = list(steps.test_programs()), time.monotonic() + seconds, {}
    if not programs:
        call.reasons["tests"] = "the test programs are not there: scripts/build " + " ".join(steps.TESTS)
    for program in programs:
        of[program] = identity(program, call.commit, device)
        earlier = recorded(call.results, of[program], program.name)
        if earlier and not earlier.failed and call.options.only != "tests":
            call.tests.append(earlier)
    left = [program for program in programs if program.name not in {tested.name for tested in call.tests}]
    if left:
        log.unlink(missing_ok=True)
    for place, program in enumerate(left):
        tested, over = run_one(call, program, end - time.monotonic(), log)
        call.tests.append(tested)
        if over:
            behind = ", ".join(other.name for other in left[place + 1 :])
            call.reasons["tests"] = f"the time was used up in the middle of {program.name}; the next call begins it anew" + (f", and {behind} behind it" if behind else "")
            return
        try_alone(call, program, tested, end, log)
        remember(call.results, tested, of[program])


def run_one(call, program, seconds, log):
    """What it found, and whether the call's time was over. One that hangs has failed, and costs no other its time."""
    hangs = seconds > PROGRAM_SECONDS
    xml = call.results / f"{program.name}.xml"
    xml.unlink(missing_ok=True)
    place = log.stat().st_size if log.exists() else 0
    status, over = call.run([program, f"--gtest_filter={FILTER}", f"--gtest_output=xml:{xml}"], min(seconds, PROGRAM_SECONDS), log)
    with open(log, "rb") as text:
        text.seek(place)
        passed, failed, skipped = count(xml) if xml.exists() else count_lines(text.read().decode(errors="replace"))
    if over and hangs:
        failed.append(f"stopped after {PROGRAM_SECONDS} s (see tests.log)")
        return Tested(program.name, passed, failed, skipped), False
    if over:
        failed = [name for name in failed if not name.endswith(DID_NOT_END)]
    elif status != 0 and (not failed or not xml.exists()):
        failed.append(f"ended with status {status} (see tests.log)")
    return Tested(program.name, passed, failed, skipped), over


def try_alone(call, program, tested, end, log):
    """A kernel's bad access breaks the device for all that the process does behind it: those tests are run again, each in a process of
    its own."""
    most, seconds = ALONE
    for name in [name for name in tested.failed[1:] if " " not in name][:most]:
        left = end - time.monotonic()
        if left < 1:
            return
        status, over = call.run([program, f"--gtest_filter={name}"], min(left, seconds), log)
        if status == 0 and not over:
            tested.failed.remove(name)
            tested.alone.append(name)


def count(xml):
    """Passed, and names of failed and of skipped tests, of a program that came to its end."""
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


def count_lines(text):
    """The same of what a program said that was stopped, or died, before it wrote its XML; one that began and did not end is named."""
    found = {word: list(dict.fromkeys(re.findall(rf"^\[ *{word} *\] ([^\s,(]+\.[^\s,(]+)", text, re.M))) for word in ("RUN", "OK", "FAILED", "SKIPPED")}
    ended = {name for word in ("OK", "FAILED", "SKIPPED") for name in found[word]}
    died = [f"{name}{DID_NOT_END}" for name in found["RUN"] if name not in ended]
    return len(found["OK"]), found["FAILED"] + died, found["SKIPPED"]
