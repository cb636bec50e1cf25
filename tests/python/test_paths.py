"""Hidden files and names that are not UTF-8, wherever a script reads a folder."""

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile

import conftest
import pytest
from fetch_server import (  # noqa: F401  (server and surroundings are fixtures)
    ROOT,
    assert_whole,
    make_archive,
    run,
    server,
    small_imdb,
    surroundings,
)
from pages import report
from paths import is_hidden, shown, visible
from runs import NoRun, load, load_run

APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 10\n"


def test_a_folder_gives_what_is_not_hidden(tmp_path):
    for name in ("b.txt", "a.txt", "._a.txt", ".cache/c.txt", "d/._e.txt", "d/f.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [str(path.relative_to(tmp_path)) for path in visible(tmp_path, "**/*.txt")] == ["a.txt", "b.txt", "d/f.txt"]
    assert visible(tmp_path / ".cache", "*.txt"), "a hidden folder that is asked for is read"
    assert not is_hidden((tmp_path / "d/f.txt").relative_to(tmp_path))


def test_hidden_folders_hold_no_runs(tmp_path):
    conftest.unfinished(tmp_path / "quickstart" / "aaaa1111", "running", "")
    for hidden in (tmp_path / ".Trash", tmp_path / "quickstart"):
        shutil.copytree(tmp_path / "quickstart" / "aaaa1111", hidden / ".copy")
    (tmp_path / "quickstart" / "aaaa1111" / "._run.h5").write_bytes(APPLE_DOUBLE)
    assert load_run(tmp_path).path == tmp_path / "quickstart" / "aaaa1111" / "run.h5"


def test_a_data_set_copied_by_a_mac_is_whole(capsys, tmp_path, server):  # noqa: F811
    archive = make_archive()
    server.files["aclImdb_v1.tar.gz"] = archive
    assert run(capsys, tmp_path, small_imdb(archive, server.address))[0] == 0
    asked = len(server.requests)
    for review in list((tmp_path / "imdb").rglob("*.txt")):
        review.with_name("._" + review.name).write_bytes(APPLE_DOUBLE)
    assert run(capsys, tmp_path, small_imdb(archive, server.address)) == (0, "")
    assert len(server.requests) == asked


def test_hidden_members_of_an_archive_are_not_unpacked(capsys, tmp_path, server):  # noqa: F811
    packed = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(make_archive())) as made, tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for member in made:
            tar.addfile(member, made.extractfile(member) if member.isreg() else None)
            if member.isreg():
                beside = tarfile.TarInfo(os.path.join(os.path.dirname(member.name), "._" + os.path.basename(member.name)))
                beside.size = len(APPLE_DOUBLE)
                tar.addfile(beside, io.BytesIO(APPLE_DOUBLE))
    server.files["aclImdb_v1.tar.gz"] = packed.getvalue()
    assert run(capsys, tmp_path, small_imdb(packed.getvalue(), server.address))[0] == 0
    assert_whole(tmp_path)


def test_a_mirror_that_is_a_clone_without_git_lfs(capsys, tmp_path):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "aclImdb_v1.tar.gz").write_bytes(POINTER)
    (mirror / "SHA256SUMS").write_text(f"{hashlib.sha256(b'').hexdigest()}  aclImdb_v1.tar.gz\n")
    status, said = run(capsys, tmp_path / "data", small_imdb(b""), "--mirror", mirror)
    assert status == 2
    assert "git lfs pull" in said


def test_a_record_in_a_clone_without_git_lfs(tmp_path):
    (tmp_path / "run.h5").write_bytes(POINTER)
    with pytest.raises(NoRun, match="git lfs pull"):
        load(tmp_path / "run.h5")


def test_names_are_shown_with_the_bytes_that_are_no_text():
    assert shown(os.fsdecode(b"caf\xe9")) == "caf\\xe9"
    assert shown("café") == "café"


def test_a_report_of_a_folder_whose_name_is_not_utf8(tmp_path):
    results = tmp_path / os.fsdecode(b"r\xe9sultats")
    conftest.unfinished(results / "quickstart" / "aaaa1111", "running", "")
    assert report(results) == 0
    page = (results / "report.html").read_text(encoding="utf-8")
    assert "r\\xe9sultats" in page and len(re.findall("<img ", page)) == 1, "the record was read for its curve"
    printed = subprocess.run([sys.executable, ROOT / "scripts" / "report", results], capture_output=True, check=True)
    assert printed.stdout == os.fsencode(results / "report.html") + b"\n"
