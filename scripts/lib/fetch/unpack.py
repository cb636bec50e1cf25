"""Unpacking of archives that nobody here made: nothing but plain files and folders, nothing outside the target."""

from __future__ import annotations

import fnmatch
import gzip
import lzma
import pathlib
import shutil
import tarfile
import zlib

from paths import is_hidden

from .errors import FetchError

# What tarfile and the decompressors below it raise for a damaged or truncated archive.
_CORRUPT = (tarfile.TarError, EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile)


def refuse_unsafe(member: tarfile.TarInfo, archive: pathlib.Path) -> None:
    """Raises FetchError for a member that could write outside the target or make anything but files and folders."""
    path = pathlib.PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise FetchError(f"{archive} was refused: its member '{member.name}' points outside the folder")
    if not (member.isreg() or member.isdir()):
        raise FetchError(f"{archive} was refused: its member '{member.name}' is a link or a device")


def unpack(archive: pathlib.Path, target: pathlib.Path, wanted: tuple[str, ...]) -> int:
    """Writes the members that match a glob of `wanted` below `target`; returns how many. Every member is checked,
    wanted or not; hidden ones are not written. Leaves whatever it had written where it raises."""
    written = 0
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                refuse_unsafe(member, archive)
                name = str(pathlib.PurePosixPath(member.name))  # "./a//b" and "a/b" are the same member
                hidden = is_hidden(pathlib.PurePosixPath(name))
                if member.isreg() and not hidden and any(fnmatch.fnmatchcase(name, pattern) for pattern in wanted):
                    _write(tar.extractfile(member), target / name, member.size, archive)
                    written += 1
            while tar.fileobj.read(1 << 20):  # to the end, where the compressed stream has its checksum
                pass
    except _CORRUPT as error:
        raise FetchError(f"{archive} is corrupt or cut short ({str(error).splitlines()[0]})") from error
    except FileExistsError as error:
        raise FetchError(f"{archive} was refused: it holds '{error.filename}' twice") from error
    return written


def _write(source, path: pathlib.Path, size: int, archive: pathlib.Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "xb") as file:
        shutil.copyfileobj(source, file)
        if file.tell() != size:
            raise FetchError(f"{archive} is corrupt or cut short (inside '{path.name}')")
