"""scripts/fetch_data: archives that must be refused, and what is left on the disk then: nothing."""

import tarfile

import pytest
from fetch_server import (  # noqa: F401  (server and surroundings are fixtures)
    REVIEWS,
    assert_nothing_placed,
    make_archive,
    member,
    run,
    run_on_a_full_disk,
    server,
    small_imdb,
    surroundings,
)


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
    (tmp_path / "mirror/imdb").mkdir(parents=True)
    (tmp_path / "mirror/imdb/aclImdb.tar.xz").write_bytes(make_archive(form="xz"))
    done = run_on_a_full_disk(tmp_path / "disk", "imdb", tmp_path / "mirror")
    assert done.returncode == 1
    assert "the disk is full" in done.stderr and "Traceback" not in done.stderr
    assert done.stdout == "", "nothing may look like the set"
