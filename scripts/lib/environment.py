"""Lets a script be started by any Python 3: one that lacks the packages hands over to the project's environment."""

import importlib.util
import os
import pathlib
import sys

PYTHON = pathlib.Path(__file__).resolve().parents[2] / ".venv" / "bin" / "python"


def require(*packages):
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if not missing:
        return
    here = pathlib.Path(sys.executable)
    if PYTHON.exists() and here.absolute() != PYTHON:
        os.execv(PYTHON, [str(PYTHON), *sys.argv])
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: the Python package {missing[0]} is missing: run scripts/setup")
