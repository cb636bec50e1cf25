"""scripts/fetch_data pg19: books from the bucket (a local server in its place) and from a project mirror."""

import base64
import csv
import dataclasses
import hashlib
import io
import json
import lzma
import os
import pathlib
import tarfile

import pytest
from fetch_server import datasets, download, fetch_data, make_archive, run, server, surroundings  # noqa: F401
from fetch import bucket  # noqa: E402  (fetch_server puts the scripts on the path)

PG19 = next(d for d in datasets.DATASETS if d.name == "pg19")
BOOKS = {f"{number}.txt": f"Book {number}.\r\n".encode() * 3000 for number in (10146, 3608, 999)}
IN_ORDER = sorted(BOOKS)  # the bucket lists objects by name: "10146.txt", "3608.txt", "999.txt"
MIRROR = pathlib.Path(os.environ.get("ATTNLAB_MIRROR") or "/nowhere")  # before `surroundings` hides it
METADATA = b"10146,Reminiscences,1908,http://www.gutenberg.org/ebooks/10146\n"


def three_books(address="http://127.0.0.1:1/"):
    """PG-19's entry of the table, for a bucket with three books a split."""
    return dataclasses.replace(PG19, address=address, splits=dict.fromkeys(PG19.splits, 3))


def serve_bucket(server, books=BOOKS, split="test", page_length=2):
    """The bucket's listing in pages, and its objects."""
    items = [
        {
            "name": f"{split}/{name}",
            "size": str(len(books[name])),
            "md5Hash": base64.b64encode(hashlib.md5(books[name]).digest()).decode(),
        }
        for name in sorted(books)
    ]
    pages = [items[i : i + page_length] for i in range(0, len(items), page_length)]
    for i, page in enumerate(pages):
        answer = {"items": page} | ({"nextPageToken": f"page{i + 1}"} if i + 1 < len(pages) else {})
        url = bucket.listing_address(server.address, PG19.bucket, f"{split}/", f"page{i}" if i else "")
        server.files[url.removeprefix(server.address)] = json.dumps(answer).encode()
    for name, content in books.items():
        server.files[f"{PG19.bucket}/{split}/{name}"] = content
    server.files[f"{PG19.bucket}/metadata.csv"] = METADATA


def books_asked_for(server):
    return sorted(path.rsplit("/", 1)[-1] for path, _ in server.requests if path.endswith(".txt"))


def assert_books(data, names=IN_ORDER, split="test"):
    found = {file.name: file.read_bytes() for file in (data / "pg19" / split).glob("*")}
    found.pop(".fetched.json", None)
    assert found == {name: BOOKS[name] for name in names}


def pack(mirror, archives):
    """A project mirror: pg19/NAME.tar.xz, metadata and checksums."""
    (mirror / "pg19").mkdir(parents=True)
    sums = []
    for name, content in {**archives, "metadata.csv.xz": lzma.compress(METADATA)}.items():
        (mirror / "pg19" / name).write_bytes(content)
        sums.append(f"{hashlib.sha256(content).hexdigest()}  ./pg19/{name}\n")
    (mirror / "SHA256SUMS").write_text("".join(sums))
    return mirror


def archive_of(names, split="test"):
    return make_archive({f"pg19/{split}/{name}": BOOKS[name] for name in names}, form="xz")


# The official bucket


def test_bucket(capsys, tmp_path, server):
    serve_bucket(server)
    status, message = run(capsys, tmp_path, three_books(server.address))
    assert status == 0 and "pg19 test: 3 of the 3 books" in message
    assert_books(tmp_path)
    assert (tmp_path / "pg19/metadata.csv").read_bytes() == METADATA


def test_second_call_asks_nobody(capsys, tmp_path, server):
    serve_bucket(server)
    run(capsys, tmp_path, three_books(server.address))
    asked = len(server.requests)
    assert run(capsys, tmp_path, three_books(server.address))[0] == 0
    assert len(server.requests) == asked


def test_splits_lie_beside_each_other(capsys, tmp_path, server):
    for split in ("test", "validation"):
        serve_bucket(server, split=split)
        assert run(capsys, tmp_path, three_books(server.address), "--split", split)[0] == 0
    assert_books(tmp_path, split="test")
    assert_books(tmp_path, split="validation")


def test_some_books_and_then_more(capsys, tmp_path, server):
    serve_bucket(server)
    status, message = run(capsys, tmp_path, three_books(server.address), "--books", 1)
    assert status == 0 and "1 of the 3 books (as many as asked for of" in message
    assert_books(tmp_path, IN_ORDER[:1])
    server.requests = []
    assert run(capsys, tmp_path, three_books(server.address))[0] == 0
    assert books_asked_for(server) == IN_ORDER[1:]  # the first one is here already
    assert_books(tmp_path)


def test_books_that_came_before_a_cut_are_kept(capsys, tmp_path, server):
    serve_bucket(server)
    missing = f"{PG19.bucket}/test/999.txt"
    del server.files[missing]
    status, message = run(capsys, tmp_path, three_books(server.address))
    assert status == 1 and "999.txt does not exist" in message
    assert not (tmp_path / "pg19/test").exists()
    server.requests = []
    server.files[missing] = BOOKS["999.txt"]
    assert run(capsys, tmp_path, three_books(server.address))[0] == 0
    assert books_asked_for(server) == ["999.txt"]
    assert_books(tmp_path)


def test_a_book_that_is_cut_goes_on_from_there(capsys, tmp_path, server, monkeypatch):
    monkeypatch.setattr(bucket, "CONNECTIONS", 1)
    serve_bucket(server, page_length=3)
    listing = next(content for path, content in server.files.items() if "/o?" in path)
    server.cuts = [len(listing), 100]
    assert run(capsys, tmp_path, three_books(server.address))[0] == 0
    assert ("deepmind-gutenberg/test/10146.txt", "bytes=100-") in server.requests
    assert_books(tmp_path)


def test_a_book_that_is_not_as_listed_is_refused(capsys, tmp_path, server):
    serve_bucket(server)
    server.files[f"{PG19.bucket}/test/999.txt"] = BOOKS["999.txt"].replace(b"9", b"8")
    status, message = run(capsys, tmp_path, three_books(server.address))
    assert status == 1 and "MD5" in message and "it was not used" in message
    assert not (tmp_path / "pg19/test").exists()


def test_a_bucket_that_lacks_a_book_is_refused(capsys, tmp_path, server):
    serve_bucket(server, {name: BOOKS[name] for name in IN_ORDER[:2]})
    status, message = run(capsys, tmp_path, three_books(server.address))
    assert status == 1 and "lists 2 books of 3" in message


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b'{"items": [{"name": "test/1.txt"}]}'])
def test_rubbish_for_a_listing(capsys, tmp_path, server, answer):
    url = bucket.listing_address(server.address, PG19.bucket, "test/")
    server.files[url.removeprefix(server.address)] = answer
    status, message = run(capsys, tmp_path, three_books(server.address))
    assert status == 1 and "gives no listing" in message


def test_a_book_that_went_missing_is_fetched_again(capsys, tmp_path, server):
    serve_bucket(server)
    run(capsys, tmp_path, three_books(server.address))
    (tmp_path / "pg19/test/999.txt").unlink()
    server.requests = []
    assert run(capsys, tmp_path, three_books(server.address))[0] == 0
    assert books_asked_for(server) == ["999.txt"]
    assert_books(tmp_path)


# A project mirror


@pytest.mark.parametrize("layout", ["one archive", "parts"])
def test_mirror(capsys, tmp_path, layout):
    archives = {"test.tar.xz": archive_of(IN_ORDER)}
    if layout == "parts":
        archives = {
            "test-part1.tar.xz": archive_of(IN_ORDER[:1]),
            "test-part2.tar.xz": archive_of(IN_ORDER[1:]),
        }
    mirror = pack(tmp_path / "mirror", archives)
    assert run(capsys, tmp_path / "data", three_books(), "--mirror", mirror)[0] == 0
    assert_books(tmp_path / "data")
    assert (tmp_path / "data/pg19/metadata.csv").read_bytes() == METADATA


def test_a_mirror_with_fewer_books_says_how_many(capsys, tmp_path):
    mirror = pack(tmp_path / "mirror", {"test.tar.xz": archive_of(IN_ORDER[:2])})
    status, message = run(capsys, tmp_path / "data", three_books(), "--mirror", mirror)
    assert status == 0 and f"pg19 test: 2 of the 3 books (all of {mirror})" in message
    status, message = run(capsys, tmp_path / "data", three_books(), "--mirror", mirror, "--books", 3)
    assert status == 1 and f"{mirror} has 2 of the 3 books" in message
    assert_books(tmp_path / "data", IN_ORDER[:2])


def test_first_books_of_a_mirror(capsys, tmp_path):
    mirror = pack(tmp_path / "mirror", {"test.tar.xz": archive_of(IN_ORDER)})
    assert run(capsys, tmp_path / "data", three_books(), "--mirror", mirror, "--books", 2)[0] == 0
    assert_books(tmp_path / "data", IN_ORDER[:2])


def test_copy_of_the_bucket_in_a_folder(capsys, tmp_path):
    (tmp_path / "copy/test").mkdir(parents=True)
    for name, content in BOOKS.items():
        (tmp_path / "copy/test" / name).write_bytes(content)
    assert run(capsys, tmp_path / "data", three_books(), "--mirror", tmp_path / "copy")[0] == 0
    assert_books(tmp_path / "data")


def test_archive_with_a_wrong_checksum(capsys, tmp_path):
    mirror = pack(tmp_path / "mirror", {"test.tar.xz": archive_of(IN_ORDER)})
    (mirror / "pg19/test.tar.xz").write_bytes(archive_of(IN_ORDER[:2]))
    status, message = run(capsys, tmp_path / "data", three_books(), "--mirror", mirror)
    assert status == 1 and "SHA-256" in message
    assert not (tmp_path / "data/pg19/test").exists()


# Mistakes


def test_a_mirror_without_books(capsys, tmp_path, server):
    (tmp_path / "empty").mkdir()
    for mirror in (tmp_path / "empty", server.address):
        status, message = run(capsys, tmp_path, three_books(), "--mirror", mirror)
        assert status == 2 and "has neither pg19/test.tar.xz" in message


def test_a_folder_of_the_users_own_is_left_alone(capsys, tmp_path, server):
    (tmp_path / "pg19/test").mkdir(parents=True)
    (tmp_path / "pg19/test/mine.txt").write_text("mine")
    status, message = run(capsys, tmp_path, three_books(server.address))
    assert status == 2 and "in the way" in message
    assert (tmp_path / "pg19/test/mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "arguments, words",
    [(("--books", "0"), "at least 1"), (("--books", "4"), "has 3 books, not 4")],
)
def test_impossible_number_of_books(capsys, tmp_path, arguments, words):
    status, message = run(capsys, tmp_path, three_books(), *arguments)
    assert status == 2 and words in message


def test_splits_and_books_are_of_books_alone(capsys, tmp_path):
    status, message = run(capsys, tmp_path, datasets.DATASETS[0], "--books", "4")
    assert status == 2 and "imdb comes as a whole" in message


# The real thing


def test_entry_matches_its_publisher():
    """github.com/google-deepmind/pg19: 28,602 books for training, 50 for validation, 100 for testing."""
    assert PG19.splits == {"test": 100, "validation": 50, "train": 28_602}


def test_books_of_the_mirror_are_bit_exact():
    """The mirror's test books against the SHA-256 of the official ones, recorded beside them."""
    if not (MIRROR / "pg19/test.tar.xz").is_file():
        pytest.skip("ATTNLAB_MIRROR names no folder with pg19/test.tar.xz")
    with open(MIRROR / "pg19/test_and_validation_ids.tsv", newline="") as file:
        official = {row["id"]: row["official_sha256"] for row in csv.DictReader(file, delimiter="\t")}
    with tarfile.open(fileobj=io.BytesIO((MIRROR / "pg19/test.tar.xz").read_bytes())) as tar:
        for member in tar:
            number = pathlib.PurePosixPath(member.name).stem
            assert hashlib.sha256(tar.extractfile(member).read()).hexdigest() == official[number]
