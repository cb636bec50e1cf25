"""Where archives come from: a local folder or an HTTP(S) address, and the checksums that it gives."""

from __future__ import annotations

import hashlib
import pathlib
import re

from paths import lfs_pointer, visible

from . import download
from .errors import NotFound, Unreachable, UserMistake


class Folder:
    def __init__(self, folder: pathlib.Path):
        if not folder.is_dir():
            raise UserMistake(f"the mirror {folder} is no folder")
        self._folder = folder

    def describe(self, path: str) -> str:
        return str(self._folder / path)

    def read_small(self, path: str) -> bytes:
        return self.get(path, self._folder).read_bytes()

    def files(self, pattern: str) -> list[pathlib.Path]:
        return visible(self._folder, pattern)

    def get(self, path: str, scratch: pathlib.Path) -> pathlib.Path:
        """The file itself; nothing is copied."""
        file = self._folder / path
        if not file.is_file():
            raise NotFound(f"{file} does not exist")
        if pointer := lfs_pointer(file):
            raise UserMistake(pointer)
        return file

    def discard(self, path: str, scratch: pathlib.Path) -> None:
        """A mirror's files are not ours to remove."""


class Address:
    def __init__(self, address: str):
        self._address = address.rstrip("/") + "/"

    def describe(self, path: str) -> str:
        return self._address + path

    def read_small(self, path: str) -> bytes:
        return download.read_small(self.describe(path))

    def get(self, path: str, scratch: pathlib.Path) -> pathlib.Path:
        target = self._target(path, scratch)
        if not target.exists():
            download.download(self.describe(path), target)
        return target

    def discard(self, path: str, scratch: pathlib.Path) -> None:
        target = self._target(path, scratch)
        target.unlink(missing_ok=True)
        download.forget(target)

    def _target(self, path: str, scratch: pathlib.Path) -> pathlib.Path:
        # Another address may have another file under the same name.
        return scratch / f"{hashlib.sha256(self.describe(path).encode()).hexdigest()[:8]}-{path.rsplit('/', 1)[-1]}"


def open_source(place: str):
    """A Folder or an Address, whichever `place` names."""
    if re.match(r"https?://", place):
        return Address(place)
    if "://" in place:
        raise UserMistake(f"the mirror {place} is neither a folder nor an http(s) address")
    return Folder(pathlib.Path(place).expanduser().absolute())


def published_checksums(source) -> dict[str, str]:
    """What the source's SHA256SUMS says, by path; nothing where it has none."""
    try:
        text = source.read_small("SHA256SUMS").decode(errors="replace")
    except (NotFound, Unreachable):
        return {}
    matches = (re.fullmatch(r"([0-9a-fA-F]{64}) [ *](?:\./)?(.+)", line) for line in text.splitlines())
    return {match[2]: match[1].lower() for match in matches if match}


def sha256_of(file: pathlib.Path) -> str:
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()

