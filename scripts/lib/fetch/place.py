"""The whole way of a data set: find a source, get its archives, check them, unpack beside, rename into place."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import sys

from paths import visible

from . import sources
from .datasets import Archive, Dataset
from .errors import Absent, FetchError, NotFound, Unreachable, UserMistake
from .unpack import unpack

MARKER = ".fetched.json"  # written before the rename: a folder with it was whole


def fetch(dataset: Dataset, mirror: str | None, data: pathlib.Path) -> pathlib.Path:
    """Makes data/NAME whole and returns it; at once where it already is. Raises FetchError and OSError."""
    folder = data / dataset.name
    if not missing_files(dataset, folder):
        return folder
    scratch = data / ".fetch" / dataset.name
    scratch.mkdir(parents=True, exist_ok=True)
    with locked(scratch / "lock"):
        if not missing_files(dataset, folder):
            return folder
        if folder.exists() and not (folder / MARKER).exists():
            raise UserMistake(f"{folder} is in the way: {missing_files(dataset, folder)}; move it and repeat")
        _fill(dataset, mirror, folder, scratch)
    return folder


def missing_files(dataset: Dataset, folder: pathlib.Path) -> str:
    """What is not there, in words; empty where the folder is whole."""
    for files in dataset.whole:
        count = len(visible(folder, files.pattern))
        if count != files.count:
            return f"{files.pattern} gives {count:,} files of {files.count:,}"
    return ""


def _fill(dataset: Dataset, mirror: str | None, folder: pathlib.Path, scratch: pathlib.Path) -> None:
    staging = scratch / "unpacking"
    shutil.rmtree(staging, ignore_errors=True)  # of a run that was killed
    source, archives = _find(dataset, mirror, scratch)
    record = []
    try:
        for archive, file in archives:
            checksum = check(source, archive, file, scratch)
            print(f"Unpacking {source.describe(archive.path)}", file=sys.stderr, flush=True)
            unpack(file, staging, dataset.members)
            record.append({"from": source.describe(archive.path), "sha256": checksum})
        problem = missing_files(dataset, staging)
        if problem:
            raise FetchError(f"{source.describe(archives[0][0].path)} is not the whole set: {problem}")
        settle(staging, folder, {"dataset": dataset.name, "archives": record})
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    for archive, _ in archives:
        source.discard(archive.path, scratch)


def refuse_foreign(folder: pathlib.Path) -> None:
    """Raises UserMistake where the folder is there and was not fetched."""
    if folder.exists() and not (folder / MARKER).exists():
        raise UserMistake(f"{folder} is in the way: it was not fetched by this script; move it and repeat")


def settle(staging: pathlib.Path, folder: pathlib.Path, note: dict) -> None:
    """Makes what is whole in `staging` the folder, with a marker that says where it comes from."""
    (staging / MARKER).write_text(json.dumps(note, indent=1) + "\n")
    os.sync()  # the files before the rename that makes them count
    if folder.exists():  # ours, but damaged since, or less than is asked for now
        shutil.rmtree(folder)
    os.replace(staging, folder)


def _find(dataset: Dataset, mirror: str | None, scratch: pathlib.Path):
    """The source and (archive, local file) pairs: of the official address, or of the first layout that the mirror has."""
    source = sources.open_source(mirror or dataset.address)
    layouts = [dataset.packed, dataset.official] if mirror else [dataset.official]
    for archives in layouts:
        try:
            return source, [(archive, source.get(archive.path, scratch)) for archive in archives]
        except NotFound as error:
            reason = error
    if mirror:
        names = " nor ".join(archives[0].path for archives in layouts)
        raise Absent(f"the mirror {mirror} has neither {names}")
    raise Unreachable(str(reason))


def check(source, archive: Archive, file: pathlib.Path, scratch: pathlib.Path) -> str:
    """The SHA-256 of the archive, which must be the expected one; a wrong download is removed."""
    what = source.describe(archive.path)
    actual = sources.sha256_of(file)
    seen_file = scratch / "seen.json"
    seen = json.loads(seen_file.read_text()) if seen_file.exists() else {}
    expected = archive.sha256 or sources.published_checksums(source).get(archive.path) or seen.get(archive.path)
    if expected is None:
        print(f"No checksum of {what} is known; {actual} is recorded and demanded from now on", file=sys.stderr)
        seen_file.write_text(json.dumps({**seen, archive.path: actual}, indent=1) + "\n")
        return actual
    if actual != expected:
        source.discard(archive.path, scratch)
        raise FetchError(f"the SHA-256 of {what} is {actual}, not {expected} as it should be; it was not used")
    return actual


@contextlib.contextmanager
def locked(path: pathlib.Path):
    """Waits for another fetch of the same set."""
    with open(path, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another fetch of this set is running; waiting for it", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
