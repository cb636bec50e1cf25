"""Where a run ran and with what."""

import numpy as np

from report import words


def facts(run):
    """(name, words) of what is known of the machine and the program."""
    versions = [
        f"{name.removeprefix('version_')} {run.text(name)}" for name in run.attributes if name.startswith("version_")
    ]
    memory = run.attributes.get("memory")
    rows = [
        ("Date", dates(run)),
        ("Host", run.text("host")),
        ("System", run.text("system")),
        ("Processor", run.text("cpu")),
        ("Clock", clock(run)),
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
        ("Commit", commit(run)),
        *checksums(run),
        ("Record", str(run.path)),
    ]
    return [(name, value) for name, value in rows if value]


def dates(run):
    """The days of beginning and end; the hours stand at each run."""
    days = [run.text(name)[:10] for name in ("started", "finished")]
    return " to ".join(dict.fromkeys(day for day in days if day))


def clock(run):
    held = run.attributes.get("cpu_clock")
    return f"{float(held):,.0f} MHz, of one core at the start" if held else ""


def commit(run):
    """With the state of the tree that it was built from."""
    state = {"true": " with uncommitted changes", "false": ", no uncommitted changes"}
    held = run.text("git_commit")
    changed = run.text("git_changed").split()
    named = f" ({', '.join(changed)})" if changed else ""
    return held + state.get(run.text("git_dirty").lower(), "") + named if held else ""


def checksums(run):
    """What was read, by its SHA-256."""
    of = {"data": "data", "model": "model", "weights": "initial weights", "texts": "texts", "tokenizer": "tokenizer"}
    return [(f"SHA-256 of the {what}", run.text(f"{name}_checksum").removeprefix("sha256:")) for name, what in of.items()]
