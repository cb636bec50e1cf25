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
from .arrange import arrange
from .datasets import Archive, Dataset, Files, OneFile
from .errors import Absent, FetchError, NotFound, Unreachable, UserMistake
from .unpack import unpack, unpack_file, unpack_member

MARKER = ".fetched.json"  # written before the rename: a folder with it was whole


def fetch(dataset: Dataset, mirror: str | None, data: pathlib.Path) -> pathlib.Path:
    """Makes data/NAME whole and returns it; at once where it already is. Raises FetchError and OSError."""
    folder = data / (dataset.folder or dataset.name)
    wanted = _whole_of_mirror(dataset) if mirror else dataset.whole
    if not missing_files(wanted, folder):
        return folder
    scratch = data / ".fetch" / dataset.name
    scratch.mkdir(parents=True, exist_ok=True)
    with locked(scratch / "lock"):
        if not missing_files(wanted, folder):
            return folder
        if folder.exists() and not (folder / MARKER).exists():
            raise UserMistake(f"{folder} is in the way: {missing_files(wanted, folder)}; move it and repeat")
        _fill(dataset, mirror, folder, scratch)
    return folder


def missing_files(whole: tuple[Files, ...], folder: pathlib.Path) -> str:
    """What is not there, in words; empty where the folder is whole."""
    for files in whole:
        found = visible(folder, files.pattern)
        if len(found) != files.count:
            return f"{files.pattern} gives {len(found):,} files of {files.count:,}"
        for file in found if files.lines is not None else ():
            lines = _lines_in(file)
            if lines != files.lines:
                return f"{file.name} has {lines:,} lines of {files.lines:,}"
    return ""


def _lines_in(file: pathlib.Path) -> int:
    with open(file, "rb") as stream:
        return sum(1 for line in stream if line.strip())


def _whole_of_mirror(dataset: Dataset) -> tuple[Files, ...]:
    return dataset.packed_whole or dataset.whole


def _fill(dataset: Dataset, mirror: str | None, folder: pathlib.Path, scratch: pathlib.Path) -> None:
    source, parts, whole = _find(dataset, mirror, scratch)
    if missing_files(whole, folder):  # else a mirror has what its publisher has, which is here
        _replace(dataset, source, parts, whole, folder, scratch)
    for part, _ in parts:
        source.discard(part.path, scratch)


def _replace(dataset: Dataset, source, parts, whole: tuple[Files, ...], folder: pathlib.Path, scratch: pathlib.Path) -> None:
    staging = scratch / "unpacking"
    shutil.rmtree(staging, ignore_errors=True)  # of a run that was killed
    record = []
    try:
        for part, file in parts:
            checksum = check(source, part, file, scratch)
            print(f"Unpacking {source.describe(part.path)}", file=sys.stderr, flush=True)
            _unpack(part, file, staging, dataset.members)
            record.append({"from": source.describe(part.path), "sha256": checksum})
        arrange(dataset.moved, staging)
        problem = missing_files(whole, staging)
        if problem:
            raise FetchError(f"{source.describe(parts[0][0].path)} is not the whole set: {problem}")
        record += _keep_other_part(dataset, folder, staging)
        settle(staging, folder, {"dataset": dataset.name, "archives": record})
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _unpack(part: Archive | OneFile, file: pathlib.Path, staging: pathlib.Path, members: tuple[str, ...]) -> None:
    if isinstance(part, Archive):
        unpack(file, staging, members)
    elif part.member:
        unpack_member(file, part.member, staging / part.name)
    else:
        unpack_file(file, staging / part.name)


def _keep_other_part(dataset: Dataset, folder: pathlib.Path, staging: pathlib.Path) -> list[dict]:
    """Of a set that a mirror has another part of: copies what is whole in the folder and comes from the other source.
    What its marker says of where that is from."""
    parts = (dataset.whole, dataset.packed_whole) if dataset.packed_whole else ()
    kept = [part for part in parts if missing_files(part, staging) and not missing_files(part, folder)]
    for files in (files for part in kept for files in part):
        for file in visible(folder, files.pattern):
            shutil.copyfile(file, staging / file.name)
    return json.loads((folder / MARKER).read_text())["archives"] if kept else []


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
    """The source, (part, local file) pairs, and what they make whole: of the official address, or of the first layout
    that the mirror has."""
    source = sources.open_source(mirror or dataset.address)
    packed = [(dataset.packed, _whole_of_mirror(dataset))] if mirror else []
    layouts = [layout for layout in (*packed, (dataset.official, dataset.whole)) if layout[0]]
    if not layouts:
        raise Absent(f"{dataset.name} comes from a mirror only; name one with --mirror")
    for parts, whole in layouts:
        try:
            return source, [(part, source.get(part.path, scratch)) for part in parts], whole
        except NotFound as error:
            reason = error
    if mirror:
        names = " nor ".join(parts[0].path for parts, _ in layouts)
        raise Absent(f"the mirror {mirror} has {'neither' if len(layouts) > 1 else 'no'} {names}")
    raise Unreachable(str(reason))


def check(source, archive: Archive | OneFile, file: pathlib.Path, scratch: pathlib.Path) -> str:
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
