"""One file over HTTP(S): resumed where the server allows it, cleanly redone where not, whole or not there at all."""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import re
import time
import urllib.error
import urllib.request

from .errors import FetchError, NotFound, Unreachable
from .progress import Progress, megabytes

TIMEOUT = 30  # seconds without a byte
ATTEMPTS = 5  # in a row without a new byte
PAUSE = 1.0  # seconds before the second attempt, doubled before each further one
CHUNK = 1 << 18

# urllib wraps some failures of a connection into URLError (an OSError) and lets others through.
_CONNECTION = (OSError, http.client.HTTPException)


class _Cut(Exception):
    """The connection ended early; what came is kept."""


def read_small(url: str) -> bytes:
    """A small file, such as a list of checksums."""
    with _open(url, {}) as response:
        try:
            return response.read()
        except _CONNECTION as error:
            raise Unreachable(f"cannot read {url}: {_reason(error)}") from error


def download(url: str, target: pathlib.Path, shown: bool = True) -> None:
    """Downloads `url` to `target`, showing its progress where asked. A part of an earlier attempt lies beside it as NAME.part, with NAME.part.json to
    tell whether the server still has the same file. Raises NotFound, Unreachable, or FetchError where the connection
    is cut again and again; OSError where the disk refuses."""
    part = target.with_name(target.name + ".part")
    failures = 0
    while True:
        before = _size(part)
        try:
            _attempt(url, part, shown)
            break
        except Unreachable as error:
            if failures == 0:
                raise
            reason = error
        except _Cut as error:
            reason = error
        failures = 1 if _size(part) > before else failures + 1
        if failures >= ATTEMPTS:
            raise FetchError(
                f"the download of {url} was cut off at {megabytes(_size(part))} ({reason}); repeat to go on from there"
            )
        time.sleep(PAUSE * 2 ** (failures - 1))
    os.replace(part, target)
    forget(target)


def forget(target: pathlib.Path) -> None:
    """Removes what an interrupted download of `target` left."""
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _attempt(url: str, part: pathlib.Path, shown: bool) -> None:
    have, headers = _resume(url, part)
    try:
        response = _open(url, headers)
    except _RangeRefused:
        forget(part.with_name(part.name.removesuffix(".part")))
        have, response = 0, _open(url, {})
    with response:
        if response.status != 206 or not _continues(response, have):
            if response.status == 206:
                raise FetchError(f"{url} answers with another range than the one asked for")
            have = 0
            _remember(url, part, response)
        length = response.headers.get("Content-Length")
        total = have + int(length) if length and length.isdigit() else None
        with open(part, "ab" if have else "wb") as file:
            progress = Progress(url.rsplit("/", 1)[-1], have, total) if shown else None
            _copy(response, file, progress, total)


def _copy(response, file, progress: Progress | None, total: int | None) -> None:
    while True:
        try:
            chunk = response.read(CHUNK)
        except _CONNECTION as error:
            raise _Cut(_reason(error)) from error
        if not chunk:
            break
        file.write(chunk)
        if progress:
            progress.update(file.tell())
    if progress:
        progress.finish(file.tell())
    if total is not None and file.tell() != total:
        raise _Cut("the connection was closed early")


class _RangeRefused(Exception):
    """416: the part that we have is no beginning of the file any more."""


def _open(url: str, headers: dict[str, str]):
    request = urllib.request.Request(url, headers={"User-Agent": "attnlab", "Accept-Encoding": "identity", **headers})
    try:
        return urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (404, 410):
            raise NotFound(f"{url} does not exist (status {error.code})") from error
        if error.code == 416 and headers:
            raise _RangeRefused from error
        if error.code == 429 or error.code >= 500:
            raise Unreachable(f"the server of {url} is in trouble (status {error.code} {error.reason})") from error
        raise Unreachable(f"{url} cannot be had (status {error.code} {error.reason})") from error
    except (*_CONNECTION, ValueError) as error:
        raise Unreachable(f"cannot reach {url}: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    inner = getattr(error, "reason", None)
    if isinstance(inner, OSError):
        error = inner
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _size(path: pathlib.Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _note(part: pathlib.Path) -> pathlib.Path:
    return part.with_name(part.name + ".json")


def _remember(url: str, part: pathlib.Path, response) -> None:
    """Notes which version of the file the part belongs to; a weak ETag promises no equal bytes."""
    etag = response.headers.get("ETag") or ""
    validator = etag if etag.startswith('"') else response.headers.get("Last-Modified")
    part.unlink(missing_ok=True)
    _note(part).write_text(json.dumps({"url": url, "validator": validator}))


def _resume(url: str, part: pathlib.Path) -> tuple[int, dict[str, str]]:
    """How much of the file is here, and the headers that ask for the rest of the same version."""
    have = _size(part)
    try:
        note = json.loads(_note(part).read_text())
    except (OSError, ValueError):
        note = {}
    if not have or note.get("url") != url or not note.get("validator"):
        return 0, {}
    return have, {"Range": f"bytes={have}-", "If-Range": note["validator"]}


def _continues(response, have: int) -> bool:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return bool(match) and int(match[1]) == have
