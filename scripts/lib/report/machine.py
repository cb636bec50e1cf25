"""Where a run ran and with what."""

import numpy as np

from report import words


def facts(run):
    """(name, words) of what is known of the machine and the program."""
    commit = run.text("git_commit")
    dirty = run.text("git_dirty").lower()
    if commit and dirty in ("1", "true", "yes", "dirty"):
        commit += " with uncommitted changes"
    versions = [
        f"{name.removeprefix('version_')} {run.text(name)}" for name in run.attributes if name.startswith("version_")
    ]
    memory = run.attributes.get("memory")
    rows = [
        ("Host", run.text("host")),
        ("System", run.text("system")),
        ("Processor", run.text("cpu")),
        ("Threads", run.text("threads")),
        ("GPU", run.text("gpu")),
        ("Device", run.text("device")),
        (
            "Memory",
            words.quantity(float(memory), "byte")
            if isinstance(memory, (int, float, np.number))
            else run.text("memory"),
        ),
        ("Versions", ", ".join(versions)),
        ("Compiler", run.text("compiler")),
        ("Commit", commit),
        ("Data", run.text("data_checksum")),
        ("Record", str(run.path)),
    ]
    return [(name, value) for name, value in rows if value]
