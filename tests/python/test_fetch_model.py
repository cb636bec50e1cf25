"""scripts/fetch_data stories260k: a small pre-trained model, file by file from a mirror."""

import hashlib
import json

import pytest
from fetch_server import ROOT, datasets, fetch_data, run, server, surroundings  # noqa: F401  (the last are fixtures)

STORIES = next(d for d in datasets.DATASETS if d.name == "stories260k")
CONTENTS = {name: f"{name} ".encode() * 5000 for name in STORIES.files}


@pytest.fixture(params=["folder", "address"])
def mirror(request, tmp_path, server):  # noqa: F811
    """The model with its checksums; mirror.put(path, content) changes a file."""

    class Mirror:
        def put(self, path, content):
            (tmp_path / "mirror" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "mirror" / path).write_bytes(content)
            server.files[path] = content

        def remove(self, path):
            (tmp_path / "mirror" / path).unlink()
            del server.files[path]

    made = Mirror()
    made.place = tmp_path / "mirror" if request.param == "folder" else server.address
    for name, content in CONTENTS.items():
        made.put(f"{STORIES.path}/{name}", content)
    sums = (f"{hashlib.sha256(content).hexdigest()}  ./{STORIES.path}/{name}\n" for name, content in CONTENTS.items())
    made.put("SHA256SUMS", "".join(sums).encode())
    return made


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.startswith(".")}


def test_every_file_is_fetched_and_checked_and_the_second_call_asks_nobody(capsys, tmp_path, mirror, server):  # noqa: F811
    data = tmp_path / "data"
    assert run(capsys, data, STORIES, "--mirror", mirror.place)[0] == 0
    assert contents(data / "stories260k") == CONTENTS
    asked = len(server.requests)
    assert run(capsys, data, STORIES) == (0, ""), "not even a mirror is needed any more"
    assert len(server.requests) == asked


def test_a_damaged_file_is_not_used(capsys, tmp_path, mirror):
    mirror.put(f"{STORIES.path}/model.safetensors", b"other weights")
    status, message = run(capsys, tmp_path / "data", STORIES, "--mirror", mirror.place)
    assert status == 1
    assert "the SHA-256 of" in message and "model.safetensors is " in message and "it was not used" in message
    assert not (tmp_path / "data/stories260k").exists()


def test_a_model_that_lost_a_file_is_fetched_again(capsys, tmp_path, mirror):
    data = tmp_path / "data"
    run(capsys, data, STORIES, "--mirror", mirror.place)
    (data / "stories260k/config.json").unlink()
    assert run(capsys, data, STORIES, "--mirror", mirror.place)[0] == 0
    assert contents(data / "stories260k") == CONTENTS


@pytest.mark.parametrize("options, status", [([], 2), (["--if-reachable"], 0)])
def test_a_mirror_without_the_model(capsys, tmp_path, mirror, options, status):
    mirror.remove(f"{STORIES.path}/tokenizer.model")
    ended, message = run(capsys, tmp_path / "data", STORIES, "--mirror", mirror.place, *options)
    assert ended == status and f"has no {STORIES.path}/" in message and "tokenizer.model does not exist" in message
    assert not (tmp_path / "data/stories260k").exists()


@pytest.mark.parametrize("options, status", [([], 2), (["--if-reachable"], 0)])
def test_without_a_mirror_it_cannot_be_had(capsys, tmp_path, options, status):
    ended, message = run(capsys, tmp_path, STORIES, *options)
    assert ended == status and "stories260k comes from a mirror only" in message


def test_a_folder_of_the_users_own_is_left_alone(capsys, tmp_path, mirror):
    (tmp_path / "data/stories260k").mkdir(parents=True)
    (tmp_path / "data/stories260k/config.json").write_text("mine")
    status, message = run(capsys, tmp_path / "data", STORIES, "--mirror", mirror.place)
    assert status == 2 and "in the way" in message
    assert (tmp_path / "data/stories260k/config.json").read_text() == "mine"


def test_the_note_beside_the_files_says_where_they_come_from(capsys, tmp_path, mirror):
    run(capsys, tmp_path / "data", STORIES, "--mirror", mirror.place)
    note = json.loads((tmp_path / "data/stories260k/.fetched.json").read_text())
    assert note["from"].endswith(STORIES.path) and note["files"] == {n: len(c) for n, c in CONTENTS.items()}
