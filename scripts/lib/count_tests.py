"""Adds up the results of all test programs and prints the closing line of scripts/test.

usage: count_tests.py CTEST_JUNIT GTEST_XML_FOLDER [--pytest PYTEST_XML]

CTest's own report says which programs ran and how they ended; each program's XML says what happened inside. A program
that failed without a failure in its XML (it crashed, timed out, or a sanitizer stopped it) counts as one failure.
"""

import argparse
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


class Counts:
    def __init__(self):
        self.passed = 0
        self.failures = []  # one line a failed test
        self.skips = []  # one line a skipped test, with the reason

    def add(self, other):
        self.passed += other.passed
        self.failures += other.failures
        self.skips += other.skips

    def closing_line(self):
        return f"{self.passed} passed, {len(self.failures)} failed, {len(self.skips)} skipped"


def lines_of(element):
    """What a failure or skip says; GoogleTest writes `file:line` as the first of several lines."""
    lines = [line.strip() for line in (element.get("message") or element.text or "").splitlines()]
    return [line for line in lines if line] or ["no reason given"]


def count_cases(xml_file):
    """Counts of one JUnit-style file; None where it is missing or cut short."""
    try:
        cases = list(ElementTree.parse(xml_file).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return None
    counts = Counts()
    for case in cases:
        name = ".".join(filter(None, (case.get("classname"), case.get("name"))))
        problems = [child for child in case if child.tag in ("failure", "error")]
        skipped = case.find("skipped")
        if problems:
            counts.failures.append(f"{name}: {' '.join(lines_of(problems[0])[:2])}")
        elif skipped is not None:
            counts.skips.append(f"{name}: {lines_of(skipped)[-1]}")
        elif case.get("status") == "notrun":
            counts.skips.append(f"{name}: disabled in the source")
        else:
            counts.passed += 1
    return counts


def count_program(program, ok, xml_file):
    """Counts of one test program, whose exit status must agree with what its XML says."""
    counts = count_cases(xml_file)
    if counts is None:
        counts = Counts()
        counts.failures.append(f"{program}: ended without writing its results (crash or time-out)")
    elif not ok and not counts.failures:
        counts.failures.append(f"{program}: all its tests passed, but the program failed at its end")
    return counts


def count_ctest(junit, xml_folder):
    counts = Counts()
    try:
        programs = list(ElementTree.parse(junit).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        counts.failures.append("ctest: it left no report")
        return counts
    for program in programs:
        name = program.get("name")
        counts.add(count_program(name, program.get("status") == "run", xml_folder / f"{name}.xml"))
    return counts


def count_pytest(xml_file):
    counts = count_cases(xml_file)
    if counts is None:
        counts = Counts()
        counts.failures.append("pytest: ended without writing its results")
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ctest_junit", type=pathlib.Path)
    parser.add_argument("gtest_xml_folder", type=pathlib.Path)
    parser.add_argument("--pytest", type=pathlib.Path)
    arguments = parser.parse_args()

    counts = count_ctest(arguments.ctest_junit, arguments.gtest_xml_folder)
    if arguments.pytest:
        counts.add(count_pytest(arguments.pytest))
    for title, lines in (("Skipped", counts.skips), ("Failed", counts.failures)):
        if lines:
            print(f"{title}:", *(f"  {line}" for line in lines), sep="\n")
    print(counts.closing_line())
    return 1 if counts.failures or counts.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
