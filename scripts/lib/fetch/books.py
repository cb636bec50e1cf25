"""The whole way of one split of a set of books: find a source, get its books, check them, rename the folder into place."""

from __future__ import annotations

import json
import lzma
import os
import pathlib
import re
import shutil
import sys

from paths import visible

from . import bucket, sources
from .datasets import Archive, BookSet
from .errors import FetchError, NotFound, UserMistake
from .place import MARKER, check, locked, refuse_foreign, settle
from .progress import Progress
from .unpack import unpack


def fetch_books(
    books: BookSet, mirror: str | None, data: pathlib.Path, split: str | None, count: int | None
) -> pathlib.Path:
    """Makes data/NAME/SPLIT hold the first `count` books (None: all that the source has) and returns data/NAME; asks
    nobody where they are there. Raises FetchError and OSError."""
    split = split or next(iter(books.splits))
    folder = data / books.name / split
    if count is not None and count > books.splits[split]:
        raise UserMistake(f"{books.name} {split} has {books.splits[split]:,} books, not {count:,}")
    scratch = data / ".fetch" / books.name / split
    if not _has(folder, count):
        scratch.mkdir(parents=True, exist_ok=True)
        with locked(scratch / "lock"):
            if not _has(folder, count):
                refuse_foreign(folder)
                _fill(books, mirror, folder, scratch, count)
    _tell(books, folder)
    return folder.parent


def _note(folder: pathlib.Path) -> dict | None:
    """What the last fetch wrote of the split; None where it is not there or a book has gone."""
    try:
        note = json.loads((folder / MARKER).read_text())
        whole = all((folder / name).stat().st_size == size for name, size in note["books"].items())
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return note if whole else None


def _has(folder: pathlib.Path, count: int | None) -> bool:
    note = _note(folder)
    if note is None:
        return False
    return note["asked"] is None if count is None else len(note["books"]) >= count


def _tell(books: BookSet, folder: pathlib.Path) -> None:
    note = _note(folder)
    have, published = len(note["books"]), books.splits[folder.name]
    less = "" if have == published else f" ({'all' if note['asked'] is None else 'as many as asked for'} of {note['from']})"
    print(f"{books.name} {folder.name}: {have:,} of the {published:,} books{less}", file=sys.stderr)


def _fill(books: BookSet, mirror: str | None, folder: pathlib.Path, scratch: pathlib.Path, count: int | None) -> None:
    staging = scratch / "books"  # books of an interrupted fetch stay here: each is whole
    staging.mkdir(exist_ok=True)
    source, origin = _gather(books, mirror, folder, staging, scratch, count)
    names = [file.name for file in visible(staging, "*.txt")]
    chosen = names if count is None else names[:count]  # the bucket's order is that of the names
    if not chosen or (count is not None and len(chosen) < count):
        raise FetchError(f"{origin} has {len(chosen):,} of the {books.splits[folder.name]:,} books")
    for name in names[len(chosen) :]:
        (staging / name).unlink()
    note = {
        "dataset": books.name,
        "from": origin,
        "asked": count,
        "books": {name: (staging / name).stat().st_size for name in chosen},
    }
    folder.parent.mkdir(exist_ok=True)
    _metadata(books, source, folder.parent)
    settle(staging, folder, note)
    shutil.rmtree(scratch / "arriving", ignore_errors=True)


def _gather(books, mirror, folder, staging, scratch, count):
    """Puts the books into `staging`. The source, and its name for people."""
    split = folder.name
    source = sources.open_source(mirror or books.address)
    if mirror:
        archives = _archives(books, source, split, scratch)
        if archives:
            _from_archives(source, archives, split, staging, scratch)
            return source, mirror
        if isinstance(source, sources.Folder):
            if _from_folder(source, split, staging):
                return source, mirror
            raise UserMistake(f"the mirror {mirror} has neither {books.name}/{split}.tar.xz nor {split}/*.txt")
    address = mirror or books.address
    try:
        _from_bucket(books, address, folder, staging, scratch, count)
    except NotFound as error:
        if not mirror:
            raise
        raise UserMistake(
            f"the mirror {mirror} has neither {books.name}/{split}.tar.xz nor the bucket {books.bucket}"
        ) from error
    return source, bucket.object_address(address, books.bucket, split)


def _archives(books: BookSet, source, split: str, scratch: pathlib.Path):
    """(archive, local file) of the split in the mirror: SPLIT.tar.xz, or SPLIT-part1.tar.xz and so on."""
    pattern = re.compile(rf"{re.escape(books.name)}/{re.escape(split)}(-part\d+)?\.tar\.xz")
    listed = [path for path in sorted(sources.published_checksums(source)) if pattern.fullmatch(path)]
    try:
        return [(Archive(path), source.get(path, scratch)) for path in listed or [f"{books.name}/{split}.tar.xz"]]
    except NotFound as error:
        if listed:
            raise FetchError(f"{error}, although the mirror's SHA256SUMS names it") from error
        return []


def _from_archives(source, archives, split: str, staging: pathlib.Path, scratch: pathlib.Path) -> None:
    unpacking = scratch / "unpacking"
    shutil.rmtree(unpacking, ignore_errors=True)
    try:
        for archive, file in archives:
            check(source, archive, file, scratch)
            print(f"Unpacking {source.describe(archive.path)}", file=sys.stderr, flush=True)
            unpack(file, unpacking, (f"*/{split}/*.txt", f"{split}/*.txt"))
        for file in visible(unpacking, "**/*.txt"):
            os.replace(file, staging / file.name)
    finally:
        shutil.rmtree(unpacking, ignore_errors=True)
    for archive, _ in archives:
        source.discard(archive.path, scratch)


def _from_folder(source: sources.Folder, split: str, staging: pathlib.Path) -> bool:
    """A copy of the bucket on a disk: SPLIT/ID.txt."""
    files = source.files(f"{split}/*.txt")
    for file in files:
        shutil.copyfile(file, staging / file.name)
    return bool(files)


def _from_bucket(books, address, folder, staging, scratch, count) -> None:
    split = folder.name
    listed = [o for o in bucket.listing(address, books.bucket, f"{split}/") if o.name.endswith(".txt")]
    if len(listed) != books.splits[split]:
        raise FetchError(f"the bucket {books.bucket} lists {len(listed):,} books of {books.splits[split]:,}")
    chosen = sorted(listed, key=lambda o: o.name)[:count]
    here, missing = [], []
    for wanted in chosen:
        name = pathlib.PurePosixPath(wanted.name).name
        if not bucket.is_object(staging / name, wanted) and bucket.is_object(folder / name, wanted):
            shutil.copyfile(folder / name, staging / name)  # of an earlier fetch of fewer books
        (here if bucket.is_object(staging / name, wanted) else missing).append(wanted)
    arriving = scratch / "arriving"
    arriving.mkdir(exist_ok=True)
    have = sum(o.size for o in here)
    progress = Progress(f"{books.name} {split}", have, sum(o.size for o in chosen))
    done = [have]

    def arrived(one: bucket.Object) -> None:
        done[0] += one.size
        progress.update(done[0])

    bucket.get_objects(address, books.bucket, missing, staging, arriving, arrived)
    progress.finish(done[0])


def _metadata(books: BookSet, source, folder: pathlib.Path) -> None:
    """The publishers' list of all books, metadata.csv (no header: id, title, year, address), where the source has it."""
    target = folder / "metadata.csv"
    if target.exists():
        return
    for path in (f"{books.name}/metadata.csv.xz", f"{books.bucket}/metadata.csv", "metadata.csv"):
        try:
            content = source.read_small(path)
        except NotFound:
            continue
        content = lzma.decompress(content) if path.endswith(".xz") else content
        part = target.with_name(target.name + ".part")
        part.write_bytes(content)
        os.replace(part, target)
        return
