"""scripts/fetch_data against folders and a local HTTP server that serve small archives of the publishers' layout."""

import contextlib
import dataclasses
import hashlib
import http.server
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import socket
import subprocess
import sys
import tarfile
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "fetch_data"


def load_script():
    loader = importlib.machinery.SourceFileLoader("fetch_data", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("fetch_data", loader))
    loader.exec_module(module)
    return module


fetch_data = load_script()
from fetch import datasets, download  # noqa: E402  (the script puts its folder on the path)

IMDB = datasets.DATASETS[0]
REVIEWS = {
    f"aclImdb/{split}/{label}/{i}_{rating}.txt": f"{split} {label} review {i} ".encode() * 4000
    for split in ("train", "test")
    for label, rating in (("pos", 9), ("neg", 2))
    for i in range(3)
}
UNWANTED = {"aclImdb/train/unsup/0_0.txt": b"no label", "aclImdb/imdb.vocab": b"the"}


def make_archive(files=None, extra=(), form="gz"):
    """The bytes of a tar archive; `extra` are TarInfo objects without content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=f"w:{form}") as tar:
        for name, content in ({**REVIEWS, **UNWANTED} if files is None else files).items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for info in extra:
            tar.addfile(info)
    return out.getvalue()


def member(name, kind=tarfile.REGTYPE, linkname=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, linkname
    return info


def small_imdb(archive, address="http://127.0.0.1:1/"):
    """IMDb's entry of the table, for an archive with 3 reviews a class and split."""
    return dataclasses.replace(
        IMDB,
        address=address,
        official=(datasets.Archive("aclImdb_v1.tar.gz", hashlib.sha256(archive).hexdigest()),),
        whole=tuple(dataclasses.replace(files, count=3) for files in IMDB.whole),
    )


class Server(http.server.ThreadingHTTPServer):
    """Serves `files` with range requests. `cuts` is a list of byte counts: each of the next answers with a body ends
    after so many bytes of it. `requests` logs (path, Range header)."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.redirects, self.cuts, self.requests = {}, {}, [], []
        self.ranges = True
        self.address = f"http://127.0.0.1:{self.server_port}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path, wanted = self.path.lstrip("/"), self.headers.get("Range")
        self.server.requests.append((path, wanted))
        if path in self.server.redirects:
            self.send_response(302)
            self.send_header("Location", self.server.redirects[path])
            self.end_headers()
        elif path not in self.server.files:
            self.send_error(404)
        else:
            self.send_file(self.server.files[path], wanted)

    def send_file(self, content, wanted):
        etag = f'"{hashlib.sha256(content).hexdigest()[:8]}"'
        start = 0
        if self.server.ranges and wanted and self.headers.get("If-Range") == etag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        if self.server.cuts:
            body = body[: self.server.cuts.pop(0)]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    monkeypatch.setattr(download, "PAUSE", 0.0)
    for name in ("ATTNLAB_MIRROR", "ATTNLAB_DATA", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)


def run(capsys, data, dataset, *arguments):
    """Exit status and what was written to standard error."""
    status = fetch_data.main([dataset.name, "--data", str(data), *map(str, arguments)], [dataset])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return status, captured.err


def assert_whole(data):
    found = {str(p.relative_to(data / "imdb")): p.read_bytes() for p in (data / "imdb").rglob("*.txt")}
    assert found == REVIEWS  # and nothing without a label
    assert (data / "imdb" / ".fetched.json").exists()


def assert_nothing_placed(data):
    assert not (data / "imdb").exists()
    assert not list(data.rglob("*.txt")), "unpacked files were left behind"


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


# What must be refused


def test_wrong_checksum(capsys, tmp_path, server):
    server.files["aclImdb_v1.tar.gz"] = make_archive(files={**REVIEWS, "aclImdb/README": b"changed"})
    status, message = run(capsys, tmp_path, small_imdb(make_archive(), server.address))
    assert status == 1
    assert "SHA-256" in message and "not used" in message
    assert_nothing_placed(tmp_path)
    assert not list(tmp_path.rglob("*.tar.gz*")), "the wrong download must not be taken for the right one later"


def test_wrong_checksum_in_a_packed_mirror(capsys, tmp_path):
    archive = make_archive(form="xz")
    (tmp_path / "mirror/imdb").mkdir(parents=True)
    (tmp_path / "mirror/imdb/aclImdb.tar.xz").write_bytes(archive)
    (tmp_path / "mirror/SHA256SUMS").write_text("0" * 64 + "  ./imdb/aclImdb.tar.xz\n")
    status, message = run(capsys, tmp_path / "data", small_imdb(archive), "--mirror", tmp_path / "mirror")
    assert status == 1 and "0" * 64 in message
    assert_nothing_placed(tmp_path / "data")
    assert (tmp_path / "mirror/imdb/aclImdb.tar.xz").exists(), "the mirror's own file is not ours to remove"


def test_an_unknown_checksum_is_recorded_and_demanded_later(capsys, tmp_path):
    (tmp_path / "mirror/imdb").mkdir(parents=True)
    file = tmp_path / "mirror/imdb/aclImdb.tar.xz"
    file.write_bytes(make_archive(form="xz"))
    dataset = small_imdb(b"")
    status, message = run(capsys, tmp_path / "data", dataset, "--mirror", tmp_path / "mirror")
    assert status == 0 and "is recorded" in message

    (tmp_path / "data/imdb").rename(tmp_path / "away")
    file.write_bytes(make_archive(form="xz", files=dict(reversed(REVIEWS.items()))))
    status, message = run(capsys, tmp_path / "data", dataset, "--mirror", tmp_path / "mirror")
    assert status == 1 and "SHA-256" in message


@pytest.mark.parametrize(
    "bad",
    [
        member("../outside.txt"),
        member("aclImdb/train/pos/../../../../outside.txt"),
        member("/tmp/attnlab-outside.txt"),
        member("aclImdb/train/pos/link.txt", tarfile.SYMTYPE, "/etc/passwd"),
        member("aclImdb/train/pos/hard.txt", tarfile.LNKTYPE, "../../outside.txt"),
        member("aclImdb/train/pos/pipe.txt", tarfile.FIFOTYPE),
        member("aclImdb/train/pos/device.txt", tarfile.CHRTYPE),
        member(next(iter(REVIEWS))),  # a second time
    ],
    ids=["parent", "hidden parent", "absolute", "symbolic link", "hard link", "pipe", "device", "twice"],
)
def test_unsafe_member_refuses_the_whole_archive(capsys, tmp_path, server, bad):
    archive = make_archive(extra=[bad])
    server.files["aclImdb_v1.tar.gz"] = archive
    status, message = run(capsys, tmp_path / "data", small_imdb(archive, server.address))
    assert status == 1 and "was refused" in message
    assert_nothing_placed(tmp_path / "data")
    assert not list(tmp_path.rglob("*outside*"))


@pytest.mark.parametrize("form", ["gz", "xz", "bz2"])
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.98])
def test_truncated_archive(capsys, tmp_path, server, form, keep):
    archive = make_archive(form=form)
    archive = archive[: int(len(archive) * keep)]
    server.files["aclImdb_v1.tar.gz"] = archive  # with a checksum that agrees: the publisher's file itself is bad
    status, message = run(capsys, tmp_path, small_imdb(archive, server.address))
    assert status == 1 and "corrupt or cut short" in message
    assert_nothing_placed(tmp_path)


def test_corrupt_archive(capsys, tmp_path, server):
    archive = bytearray(make_archive())
    archive[len(archive) // 2] ^= 0xFF
    server.files["aclImdb_v1.tar.gz"] = bytes(archive)
    status, message = run(capsys, tmp_path, small_imdb(bytes(archive), server.address))
    assert status == 1 and "corrupt" in message
    assert_nothing_placed(tmp_path)


def test_missing_class(capsys, tmp_path, server):
    archive = make_archive(files={name: text for name, text in REVIEWS.items() if "/test/neg/" not in name})
    server.files["aclImdb_v1.tar.gz"] = archive
    status, message = run(capsys, tmp_path, small_imdb(archive, server.address))
    assert status == 1
    assert "aclImdb/test/neg/*.txt gives 0 files of 3" in message
    assert_nothing_placed(tmp_path)


def test_disk_full(tmp_path):
    """On a tmpfs of 64 KB, in a mount namespace of its own."""
    mirror, disk = tmp_path / "mirror", tmp_path / "disk"
    (mirror / "imdb").mkdir(parents=True)
    disk.mkdir()
    (mirror / "imdb/aclImdb.tar.xz").write_bytes(make_archive(form="xz"))
    mount = ["unshare", "--mount", *([] if os.getuid() == 0 else ["--map-root-user"]), "bash", "-c"]
    tmpfs = f"mount -t tmpfs -o size=64k none '{disk}'"
    if subprocess.run([*mount, tmpfs], capture_output=True).returncode != 0:
        pytest.skip("this system lets nobody mount a tmpfs")
    fetch = f"'{sys.executable}' '{SCRIPT}' imdb --mirror '{mirror}' --data '{disk}'"
    done = subprocess.run([*mount, f"{tmpfs} && {fetch}; status=$?; ls '{disk}'; exit $status"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "the disk is full" in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == "", "nothing may look like the set"


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
