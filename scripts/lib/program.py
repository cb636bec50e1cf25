"""The program attnlab, which reads records and makes tables of them: where it is, and what it says."""

import json
import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


class NoRun(Exception):
    """Why there are no runs to show, in one sentence."""


def find():
    """$ATTNLAB_PROGRAM, else what was built here, the release before other presets, else what is in PATH."""
    built = (path for pattern in ("release", "*") for path in sorted(ROOT.glob(f"build/{pattern}/attnlab")))
    found = os.environ.get("ATTNLAB_PROGRAM") or next(built, None) or shutil.which("attnlab")
    if not found:
        raise NoRun("the program attnlab, which reads the records, is not there; scripts/build makes it")
    return str(found)


def tables(places):
    """The experiments at some places, as `attnlab table PLACE… --format json` has them."""
    command = [find(), "table", "--format", "json", "--", *map(str, places)]
    try:
        done = subprocess.run(command, capture_output=True)
    except OSError as error:
        raise NoRun(f"cannot start {command[0]}: {error.strerror}") from None
    if done.returncode != 0:
        said = os.fsdecode(done.stderr).rpartition("error: ")[2].strip()
        raise NoRun(said or f"{command[0]} table ended with status {done.returncode}")
    return json.loads(done.stdout)["experiments"]
