"""Unpacking of what nobody here packed: of archives nothing but plain files and folders, nothing outside the target; or
one file."""

from __future__ import annotations

import fnmatch
import gzip
import lzma
import pathlib
import shutil
import tarfile
import zipfile
import zlib

from paths import is_hidden

from .errors import FetchError

# What tarfile, zipfile (RuntimeError: packed in a way that it cannot read) and the decompressors below them raise for a
# damaged or truncated archive.
_CORRUPT = (tarfile.TarError, zipfile.BadZipFile, RuntimeError, EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile)
_OPEN = {b"\xfd7zXZ\0": lzma.open, b"\x1f\x8b": gzip.open}  # by the first bytes


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
        raise _corrupt(archive, error) from error
    except FileExistsError as error:
        raise FetchError(f"{archive} was refused: it holds '{error.filename}' twice") from error
    return written


def _write(source, path: pathlib.Path, size: int, archive: pathlib.Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "xb") as file:
        shutil.copyfileobj(source, file)
        if file.tell() != size:
            raise FetchError(f"{archive} is corrupt or cut short (inside '{path.name}')")


def unpack_file(packed: pathlib.Path, target: pathlib.Path) -> None:
    """Writes what a file packed with xz or gzip holds; a copy of any other file. Leaves what it had written where it
    raises."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(packed, "rb") as file:
        beginning = file.read(6)
    opened = next((open_ for magic, open_ in _OPEN.items() if beginning.startswith(magic)), open)
    try:
        with opened(packed, "rb") as source, open(target, "wb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
    except _CORRUPT as error:
        raise _corrupt(packed, error) from error


def unpack_member(archive: pathlib.Path, member: str, target: pathlib.Path) -> None:
    """Writes one member of a zip archive. Leaves what it had written where it raises."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as opened, opened.open(member) as inside, open(target, "wb") as out:
            shutil.copyfileobj(inside, out, 1 << 20)
    except KeyError as error:
        raise FetchError(f"{archive} holds no {member}") from error
    except _CORRUPT as error:
        raise _corrupt(archive, error) from error


def _corrupt(archive: pathlib.Path, error: Exception) -> FetchError:
    words = str(error).splitlines()
    return FetchError(f"{archive} is corrupt or cut short ({words[0] if words else type(error).__name__})")
