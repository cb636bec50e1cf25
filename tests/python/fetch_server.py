"""What the tests of scripts/fetch_data share: small archives of the publishers' layout, and folders and a local HTTP
server that serve them."""

import dataclasses
import hashlib
import http.server
import io
import os
import pathlib
import subprocess
import sys
import tarfile
import threading

import pytest
from script_module import load_script

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "fetch_data"

fetch_data = load_script("fetch_data")
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
        if self.path.endswith("/"):  # a package index, which pip reads as nothing else
            self.send_header("Content-Type", "text/html")
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


def run_on_a_full_disk(disk, name, mirror):
    """`scripts/fetch_data NAME` on a tmpfs of 64 KB, in a mount namespace of its own: what it said and, as its output,
    what lies there afterwards."""
    disk.mkdir()
    mount = ["unshare", "--mount", *([] if os.getuid() == 0 else ["--map-root-user"]), "bash", "-c"]
    tmpfs = f"mount -t tmpfs -o size=64k none '{disk}'"
    if subprocess.run([*mount, tmpfs], capture_output=True).returncode != 0:
        pytest.skip("this system lets nobody mount a tmpfs")
    fetch = f"'{sys.executable}' '{SCRIPT}' {name} --mirror '{mirror}' --data '{disk}'"
    command = f"{tmpfs} && {fetch}; status=$?; ls '{disk}'; exit $status"
    return subprocess.run([*mount, command], capture_output=True, text=True)
