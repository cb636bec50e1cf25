"""scripts/fetch_data multi30k, tatoeba, wmt14 and newstests: sentence pairs from mirrors and from archives of WMT's layout."""

import dataclasses
import gzip
import os

import pytest
from fetch_server import datasets, make_archive, run, server, surroundings  # noqa: F401  (fixtures among them)

MIRROR = os.environ.get("ATTNLAB_MIRROR", "")  # before `surroundings` takes it away
MULTI30K, TATOEBA, WMT14, NEWSTESTS = (
    next(d for d in datasets.DATASETS if d.name == name) for name in ("multi30k", "tatoeba", "wmt14", "newstests")
)
SGML = """<srcset setid="newstest2014" srclang="any">
<doc sysid="src" docid="1" genre="news">
<hl>
<seg id="1">Standard & Poor's  {0} </seg>
</hl>
<p>
<seg id="2">two {0}
lines</seg><seg id="3">{0} „ü“</seg>
</p></doc></srcset>
"""
LINES = "Standard & Poor's {0}\ntwo {0} lines\n{0} „ü“\n"


def smaller(dataset, **changes):
    """The entry, for archives of three lines a file."""
    whole = tuple(dataclasses.replace(files, lines=3) for files in dataset.whole)
    return dataclasses.replace(dataset, whole=whole, **changes)


def three(name):
    return "".join(f"{name} {i}\n" for i in range(3)).encode()


def sgml(language):
    return SGML.format(language).encode()


def archive_of_tests():
    halves = {"src.en": sgml("en"), "ref.de": sgml("de"), "src.de": b"other direction", "ref.en": b"other direction"}
    files = {f"test-full/newstest2014-deen-{half}.sgm": text for half, text in halves.items()}
    return make_archive({**files, "test-full/newstest2014-fren-src.fr.sgm": b"other language"})


def wmt14_archives():
    two = ("en", "de")
    other = {"training/europarl-v7.fr-en.fr": b"other language", "dev/newstest2013.fr": b"other language"}
    archives = {
        "wmt13/training-parallel-europarl-v7.tgz": [f"training/europarl-v7.de-en.{x}" for x in two],
        "wmt13/training-parallel-commoncrawl.tgz": [f"commoncrawl.de-en.{x}" for x in two],
        "wmt14/training-parallel-nc-v9.tgz": [f"training/news-commentary-v9.de-en.{x}" for x in two],
        "wmt14/dev.tgz": [f"dev/{stem}.{x}" for stem in [*datasets._NEWSTESTS][:-1] for x in two],
    }
    packed = {path: make_archive({**{name: three(name) for name in names}, **other}) for path, names in archives.items()}
    return {**packed, "wmt14/test-full.tgz": archive_of_tests()}


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.startswith(".")}


def expected(stems):
    """Of the small archives: stem -> folder inside."""
    files = {f"{stem}.{x}": three(f"{folder}{stem}.{x}") for stem, folder in stems.items() for x in ("en", "de")}
    return {**files, **{f"newstest2014.{x}": LINES.format(x).encode() for x in ("en", "de")}}


def test_wmt14_from_archives_of_the_official_layout(capsys, tmp_path, server):  # noqa: F811
    server.files.update(wmt14_archives())
    dataset = smaller(WMT14, address=server.address)
    assert run(capsys, tmp_path, dataset)[0] == 0
    assert contents(tmp_path / "wmt14") == expected({**datasets._WMT14, "newstest2013": "dev/"}), "and no empty folders"
    asked = len(server.requests)
    assert run(capsys, tmp_path, dataset) == (0, "")
    assert len(server.requests) == asked


def test_newstests_from_the_same_archives(capsys, tmp_path, server):  # noqa: F811
    server.files.update({path.removeprefix("wmt14/"): content for path, content in wmt14_archives().items()})
    assert run(capsys, tmp_path, smaller(NEWSTESTS, address=server.address))[0] == 0
    stems = {stem: "dev/" for stem in datasets._NEWSTESTS if stem != "newstest2014"}
    assert contents(tmp_path / "newstests") == expected(stems)


def test_a_file_of_wmt14_that_is_cut_short_is_not_the_whole_set(capsys, tmp_path, server):  # noqa: F811
    server.files.update(wmt14_archives())
    short = SGML.format("de").replace("</seg><seg", "").encode()
    server.files["wmt14/test-full.tgz"] = make_archive(
        {"test-full/newstest2014-deen-src.en.sgm": sgml("en"), "test-full/newstest2014-deen-ref.de.sgm": short}
    )
    status, message = run(capsys, tmp_path, smaller(WMT14, address=server.address))
    assert status == 1 and "newstest2014.de has 2 lines of 3" in message
    assert not (tmp_path / "wmt14").exists()


def test_a_mirror_without_wmt14_says_so(capsys, tmp_path):
    (tmp_path / "mirror").mkdir()
    status, message = run(capsys, tmp_path / "data", WMT14, "--mirror", tmp_path / "mirror")
    assert status == 2 and "has no wmt13/training-parallel-europarl-v7.tgz" in message


def test_multi30k_from_the_official_address(capsys, tmp_path, server):  # noqa: F811
    files = {one.name: three(one.name) for one in MULTI30K.official}
    server.files.update({one.path: gzip.compress(files[one.name]) for one in MULTI30K.official})
    assert run(capsys, tmp_path, smaller(MULTI30K, address=server.address))[0] == 0
    assert contents(tmp_path / "multi30k") == files


def test_tatoeba_without_a_mirror_says_that_it_needs_one(capsys, tmp_path):
    status, message = run(capsys, tmp_path, TATOEBA)
    assert status == 2 and "tatoeba comes from a mirror only" in message


@pytest.mark.parametrize("dataset", [MULTI30K, TATOEBA, NEWSTESTS], ids=lambda d: d.name)
def test_the_real_mirror(capsys, tmp_path, dataset):
    if not os.path.exists(os.path.join(MIRROR or "/nowhere", dataset.packed[0].path)):
        pytest.skip(f"$ATTNLAB_MIRROR is not set or lacks {dataset.packed[0].path}")
    status, message = run(capsys, tmp_path, dataset, "--mirror", MIRROR)
    assert status == 0 and "No checksum" not in message
    assert sorted(contents(tmp_path / dataset.name)) == sorted(files.pattern for files in dataset.whole)
