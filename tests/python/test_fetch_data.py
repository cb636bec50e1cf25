"""scripts/fetch_data: where the data may come from, interrupted downloads, mistakes and a missing network."""

import contextlib
import hashlib
import socket
import subprocess
import sys

import pytest
from fetch_server import (  # noqa: F401  (server and surroundings are fixtures)
    IMDB,
    ROOT,
    SCRIPT,
    assert_nothing_placed,
    assert_whole,
    download,
    fetch_data,
    make_archive,
    run,
    server,
    small_imdb,
    surroundings,
)


# Sources and layouts


def test_official_address(capsys, tmp_path, server):
    archive = make_archive()
    server.files["aclImdb_v1.tar.gz"] = archive
    assert run(capsys, tmp_path, small_imdb(archive, server.address))[0] == 0
    assert_whole(tmp_path)


def test_second_call_asks_nobody(capsys, tmp_path, server):
    archive = make_archive()
    server.files["aclImdb_v1.tar.gz"] = archive
    run(capsys, tmp_path, small_imdb(archive, server.address))
    asked = len(server.requests)
    assert run(capsys, tmp_path, small_imdb(archive, server.address)) == (0, "")
    assert len(server.requests) == asked


@pytest.mark.parametrize("place", ["folder", "address"])
@pytest.mark.parametrize("layout", ["official", "packed"])
def test_mirror(capsys, tmp_path, server, place, layout):
    name, form = ("imdb/aclImdb.tar.xz", "xz") if layout == "packed" else ("aclImdb_v1.tar.gz", "gz")
    archive = make_archive(form=form)
    files = {name: archive, "SHA256SUMS": f"{hashlib.sha256(archive).hexdigest()}  ./{name}\n".encode()}
    for path, content in files.items():
        server.files[path] = content
        (tmp_path / "mirror" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mirror" / path).write_bytes(content)
    mirror = tmp_path / "mirror" if place == "folder" else server.address
    assert run(capsys, tmp_path / "data", small_imdb(archive), "--mirror", mirror)[0] == 0
    assert_whole(tmp_path / "data")


def test_mirror_from_the_environment(capsys, tmp_path, server, monkeypatch):
    archive = make_archive()
    server.files["aclImdb_v1.tar.gz"] = archive
    monkeypatch.setenv("ATTNLAB_MIRROR", server.address)
    assert run(capsys, tmp_path, small_imdb(archive))[0] == 0
    assert_whole(tmp_path)


def test_redirect_is_followed(capsys, tmp_path, server):
    archive = make_archive()
    server.redirects["aclImdb_v1.tar.gz"] = "/elsewhere/file"
    server.files["elsewhere/file"] = archive
    assert run(capsys, tmp_path, small_imdb(archive, server.address))[0] == 0
    assert_whole(tmp_path)


# Interrupted downloads


def test_cut_connection_is_resumed_from_where_it_was(capsys, tmp_path, server):
    archive = make_archive()
    server.files["aclImdb_v1.tar.gz"] = archive
    server.cuts = [100, 50]
    assert run(capsys, tmp_path, small_imdb(archive, server.address))[0] == 0
    assert [wanted for _, wanted in server.requests] == [None, "bytes=100-", "bytes=150-"]
    assert_whole(tmp_path)


def test_cut_connection_is_redone_where_the_server_has_no_ranges(capsys, tmp_path, server):
    archive = make_archive()
    server.files["aclImdb_v1.tar.gz"] = archive
    server.cuts, server.ranges = [100], False
    assert run(capsys, tmp_path, small_imdb(archive, server.address))[0] == 0
    assert_whole(tmp_path)


def test_a_download_goes_on_in_the_next_call(capsys, tmp_path, server):
    archive = make_archive()
    server.files["aclImdb_v1.tar.gz"] = archive
    server.cuts = [100] + [0] * download.ATTEMPTS
    status, message = run(capsys, tmp_path, small_imdb(archive, server.address))
    assert status == 1
    assert "cut off" in message and "repeat to go on" in message
    assert_nothing_placed(tmp_path)

    server.cuts, server.requests = [], []
    assert run(capsys, tmp_path, small_imdb(archive, server.address))[0] == 0
    assert server.requests == [("aclImdb_v1.tar.gz", "bytes=100-")]
    assert_whole(tmp_path)


def test_a_file_that_changed_meanwhile_is_not_joined_to_the_old_part(capsys, tmp_path, server):
    old, new = make_archive(form="bz2"), make_archive(form="gz")
    server.files["aclImdb_v1.tar.gz"] = old
    server.cuts = [100] + [0] * download.ATTEMPTS
    run(capsys, tmp_path, small_imdb(new, server.address))

    server.files["aclImdb_v1.tar.gz"] = new
    server.cuts = []
    assert run(capsys, tmp_path, small_imdb(new, server.address))[0] == 0
    assert_whole(tmp_path)


def test_what_a_killed_fetch_left_is_cleared_away(capsys, tmp_path, server):
    archive = make_archive()
    server.files["aclImdb_v1.tar.gz"] = archive
    left = tmp_path / ".fetch/imdb/unpacking/aclImdb/train/pos/0_9.txt"
    left.parent.mkdir(parents=True)
    left.write_text("half a rev")
    assert run(capsys, tmp_path, small_imdb(archive, server.address))[0] == 0
    assert_whole(tmp_path)


# Mistakes and a missing network


def unused_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_no_network(capsys, tmp_path):
    status, message = run(capsys, tmp_path, small_imdb(b"", f"http://127.0.0.1:{unused_port()}/"))
    assert status == 1
    assert "cannot reach" in message and "--mirror" in message


def test_no_network_is_no_failure_if_that_is_said_to_be_fine(capsys, tmp_path):
    dataset = small_imdb(b"", f"http://127.0.0.1:{unused_port()}/")
    assert fetch_data.main(["imdb", "--data", str(tmp_path), "--if-reachable"], [dataset]) == 0
    captured = capsys.readouterr()
    assert captured.out == "" and "cannot reach" in captured.err


@pytest.mark.parametrize(
    "mirror, words",
    [("/nowhere/at/all", "is no folder"), ("ftp://host/", "neither a folder nor"), (str(ROOT / "src"), "has neither")],
)
def test_wrong_mirror(capsys, tmp_path, mirror, words):
    status, message = run(capsys, tmp_path, small_imdb(b""), "--mirror", mirror)
    assert status == 2 and words in message


def test_a_folder_of_the_users_own_is_left_alone(capsys, tmp_path):
    (tmp_path / "imdb").mkdir()
    (tmp_path / "imdb/mine.txt").write_text("mine")
    status, message = run(capsys, tmp_path, small_imdb(b""), "--mirror", ROOT / "src")
    assert status == 2 and "in the way" in message
    assert (tmp_path / "imdb/mine.txt").read_text() == "mine"


def test_a_damaged_set_is_fetched_again(capsys, tmp_path, server):
    archive = make_archive()
    server.files["aclImdb_v1.tar.gz"] = archive
    dataset = small_imdb(archive, server.address)
    run(capsys, tmp_path, dataset)
    next((tmp_path / "imdb").rglob("*.txt")).unlink()
    assert run(capsys, tmp_path, dataset)[0] == 0
    assert_whole(tmp_path)


def test_command_line(tmp_path):
    done = subprocess.run([sys.executable, str(SCRIPT), "imbd"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "imdb" in done.stderr


def test_imdb_entry_matches_its_publisher():
    """ai.stanford.edu/~amaas/data/sentiment: 25,000 labelled reviews for training, 25,000 for testing."""
    assert sum(files.count for files in IMDB.whole) == 50_000
    assert len(IMDB.official[0].sha256) == 64
