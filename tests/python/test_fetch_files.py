"""scripts/fetch_data squality, qasper and longbench_qasper: sets of single files, as they are, packed or in a zip archive,
and a set of which a mirror has another part than the publisher."""

import dataclasses
import gzip
import hashlib
import io
import json
import lzma
import os
import zipfile

import pytest
from fetch_server import (  # noqa: F401  (server and surroundings are fixtures)
    datasets,
    download,
    make_archive,
    run,
    run_on_a_full_disk,
    server,
    surroundings,
)

MIRROR = os.environ.get("ATTNLAB_MIRROR", "")  # before `surroundings` takes it away
SQUALITY, QASPER, LONGBENCH = (
    next(d for d in datasets.DATASETS if d.name == name) for name in ("squality", "qasper", "longbench_qasper")
)


def lines(count, word):
    """Lines that do not pack well, so that half of an archive is no short one."""
    digests = (hashlib.sha512(f"{word}{i}".encode()).hexdigest() for i in range(count))
    return b"".join(json.dumps({word: digest}).encode() + b"\n" for digest in digests)


STORIES = {files.pattern: lines(files.lines, files.pattern) for files in SQUALITY.whole}
PAPERS = {files.pattern: json.dumps({files.pattern: {}}).encode() for files in QASPER.whole}
SUBSET = {"qasper-leval-subset.json": b'{"leval": {}}'}


def packed(dataset, contents, pack=lzma.compress):
    """The set's files in a mirror, with their checksums."""
    files = {part.path: pack(contents[part.name]) for part in dataset.packed}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  ./{path}\n" for path, content in files.items())
    return {**files, "SHA256SUMS": sums.encode()}


def write(folder, files):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.startswith(".")}


def official(dataset, server, files):  # noqa: F811
    server.files.update(files)
    return dataclasses.replace(dataset, address=server.address)


def official_squality(server):  # noqa: F811
    return official(SQUALITY, server, {part.path: STORIES[part.name] for part in SQUALITY.official})


def official_qasper():
    train = {name: PAPERS[name] for name in ("qasper-train-v0.3.json", "qasper-dev-v0.3.json")}
    test = {"./qasper-test-v0.3.json": PAPERS["qasper-test-v0.3.json"], "qasper_evaluator.py": b"import json"}
    return {part.path: make_archive(files) for part, files in zip(QASPER.official, (train, test))}


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


# Single files


def test_files_as_they_are_from_the_official_address_and_the_second_call_asks_nobody(capsys, tmp_path, server):  # noqa: F811
    dataset = official_squality(server)
    status, message = run(capsys, tmp_path, dataset)
    assert status == 0 and "No checksum of" in message
    assert contents(tmp_path / "squality") == STORIES
    asked = len(server.requests)
    assert run(capsys, tmp_path, dataset) == (0, "")
    assert len(server.requests) == asked


@pytest.mark.parametrize("place", ["folder", "address"])
@pytest.mark.parametrize("pack", [lzma.compress, gzip.compress, bytes], ids=["xz", "gzip", "as it is"])
def test_packed_files_from_a_mirror(capsys, tmp_path, server, place, pack):  # noqa: F811
    files = packed(SQUALITY, STORIES, pack)
    server.files.update(files)
    mirror = write(tmp_path / "mirror", files) if place == "folder" else server.address
    status, message = run(capsys, tmp_path / "data", SQUALITY, "--mirror", mirror)
    assert status == 0 and "No checksum" not in message
    assert contents(tmp_path / "data/squality") == STORIES
    assert not list((tmp_path / "data/.fetch/squality").glob("*.xz")), "downloads are not kept"


def test_a_cut_download_goes_on_in_the_next_call(capsys, tmp_path, server):  # noqa: F811
    dataset = official_squality(server)
    server.cuts = [10**9, 100] + [0] * download.ATTEMPTS
    status, message = run(capsys, tmp_path, dataset)
    assert status == 1 and "repeat to go on" in message
    assert not (tmp_path / "squality").exists()

    server.cuts, server.requests = [], []
    assert run(capsys, tmp_path, dataset)[0] == 0
    first, second, third = (part.path for part in SQUALITY.official)
    asked = [one for one in server.requests if one[0] != "SHA256SUMS"]
    assert asked == [(second, "bytes=100-"), (third, None)], "the first one had come whole"
    assert contents(tmp_path / "squality") == STORIES


def test_a_changed_file_is_not_used(capsys, tmp_path):
    files = packed(SQUALITY, STORIES)
    files[SQUALITY.packed[1].path] = lzma.compress(STORIES["squality_v1-3_train.jsonl"])
    status, message = run(capsys, tmp_path / "data", SQUALITY, "--mirror", write(tmp_path / "mirror", files))
    assert status == 1 and "the SHA-256 of" in message and "dev.jsonl.xz is" in message
    assert not (tmp_path / "data/squality").exists()


@pytest.mark.parametrize("pack", [lzma.compress, gzip.compress])
@pytest.mark.parametrize("keep", [0.5, 0.98])
def test_a_file_cut_short_by_its_publisher(capsys, tmp_path, pack, keep):
    files = packed(SQUALITY, STORIES, lambda content: pack(content)[: int(len(pack(content)) * keep)])
    status, message = run(capsys, tmp_path / "data", SQUALITY, "--mirror", write(tmp_path / "mirror", files))
    assert status == 1 and "corrupt or cut short" in message
    assert not (tmp_path / "data/squality").exists()
    assert not list((tmp_path / "data").rglob("*.jsonl")), "unpacked files were left behind"


def test_a_story_too_few(capsys, tmp_path, server):  # noqa: F811
    dataset = official_squality(server)
    server.files["data/v1-3/txt/dev.jsonl"] = lines(24, "story") + b"\n \n"
    status, message = run(capsys, tmp_path, dataset)
    assert status == 1 and "squality_v1-3_dev.jsonl has 24 lines of 25" in message
    assert not (tmp_path / "squality").exists()


def test_a_set_that_lost_a_line_is_fetched_again(capsys, tmp_path, server):  # noqa: F811
    dataset = official_squality(server)
    run(capsys, tmp_path, dataset)
    (tmp_path / "squality/squality_v1-3_dev.jsonl").write_bytes(lines(3, "story"))
    assert run(capsys, tmp_path, dataset)[0] == 0
    assert contents(tmp_path / "squality") == STORIES


def test_disk_full(tmp_path):
    mirror = write(tmp_path / "mirror", packed(SQUALITY, {name: 20 * text for name, text in STORIES.items()}))
    done = run_on_a_full_disk(tmp_path / "disk", "squality", mirror)
    assert done.returncode == 1
    assert "the disk is full" in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == "", "nothing may look like the set"


# In a zip archive


def test_a_member_of_a_zip_archive(capsys, tmp_path, server):  # noqa: F811
    questions = lines(200, "question")
    dataset = official(LONGBENCH, server, {"data.zip": zipped({"data/qasper.jsonl": questions, "data/lcc.jsonl": b"{}"})})
    assert run(capsys, tmp_path, dataset)[0] == 0
    assert contents(tmp_path / "longbench") == {"qasper.jsonl": questions}


@pytest.mark.parametrize(
    "archive, words",
    [
        (zipped({"qasper.jsonl": b"{}"}), "holds no data/qasper.jsonl"),
        (zipped({"data/qasper.jsonl": lines(200, "question")})[:-100], "is corrupt or cut short"),
        (zipped({"data/qasper.jsonl": lines(200, "question")}).replace(b"\x02", b"\x03", 50), "is corrupt or cut short"),
        (zipped({"data/qasper.jsonl": lines(199, "question")}), "qasper.jsonl has 199 lines of 200"),
        (b"<html>", "is corrupt or cut short"),
    ],
    ids=["elsewhere", "cut", "damaged", "a line too few", "no zip"],
)
def test_a_zip_archive_that_is_not_the_one(capsys, tmp_path, server, archive, words):  # noqa: F811
    status, message = run(capsys, tmp_path, official(LONGBENCH, server, {"data.zip": archive}))
    assert status == 1 and words in message
    assert not (tmp_path / "longbench").exists()


# A set of which a mirror has another part


@pytest.mark.parametrize("subset_first", [True, False])
def test_what_the_publisher_and_what_the_mirror_has_lie_side_by_side(capsys, tmp_path, server, subset_first):  # noqa: F811
    mirror = write(tmp_path / "mirror", packed(QASPER, SUBSET))
    dataset = official(QASPER, server, official_qasper())
    calls = [["--mirror", mirror], []]
    for options in calls if subset_first else reversed(calls):
        assert run(capsys, tmp_path, dataset, *options)[0] == 0
    assert contents(tmp_path / "qasper") == {**PAPERS, **SUBSET}
    assert len(json.loads((tmp_path / "qasper/.fetched.json").read_text())["archives"]) == 3
    asked = len(server.requests)
    for options in calls:
        assert run(capsys, tmp_path, dataset, *options) == (0, "")
    assert len(server.requests) == asked


def test_the_mirrors_part_alone_is_not_the_set(capsys, tmp_path, server):  # noqa: F811
    run(capsys, tmp_path, QASPER, "--mirror", write(tmp_path / "mirror", packed(QASPER, SUBSET)))
    assert contents(tmp_path / "qasper") == SUBSET
    status, message = run(capsys, tmp_path, dataclasses.replace(QASPER, address="http://127.0.0.1:1/"))
    assert status == 1 and "cannot reach" in message
    assert contents(tmp_path / "qasper") == SUBSET, "what was there stays"


def test_a_mirror_with_the_publishers_archives(capsys, tmp_path):
    mirror = write(tmp_path / "mirror", official_qasper())
    assert run(capsys, tmp_path, QASPER, "--mirror", mirror)[0] == 0
    assert contents(tmp_path / "qasper") == PAPERS
    assert run(capsys, tmp_path, QASPER, "--mirror", mirror) == (0, "")


@pytest.mark.skipif(not MIRROR, reason="$ATTNLAB_MIRROR is not set")
@pytest.mark.parametrize("dataset", [SQUALITY, QASPER], ids=["squality", "qasper"])
def test_the_mirror_at_hand(capsys, tmp_path, dataset):
    status, message = run(capsys, tmp_path, dataset, "--mirror", MIRROR)
    assert status == 0 and "No checksum" not in message, "its SHA256SUMS names every file"
    assert contents(tmp_path / dataset.name).keys() == {part.name for part in dataset.packed}
