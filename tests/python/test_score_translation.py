"""`attnlab score` says of translations what sacreBLEU says: of thousands of drawn lines, on machines that have it
(pip install sacrebleu==2.6.0; ATTNLAB_STRINGS=100000 asks for so many lines), and of newstest2014 the values that it gave."""

import json
import lzma
import os
import pathlib
import random
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ATTNLAB = pathlib.Path(os.environ.get("ATTNLAB_BUILD", ROOT / "build" / "release")) / "attnlab"
MIRROR = os.environ.get("ATTNLAB_MIRROR")
LINES = int(os.environ.get("ATTNLAB_STRINGS", 4000))

sys.path.insert(0, str(ROOT / "tests" / "golden"))
import lines_of_translations  # noqa: E402

pytestmark = pytest.mark.skipif(not ATTNLAB.exists(), reason=f"{ATTNLAB} is not built")


def score(metric, *words):
    done = subprocess.run([ATTNLAB, "score", metric, *words], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]] if "--each" in words else json.loads(done.stdout)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """(predictions, two files of references, the paths of all three)."""
    folder = tmp_path_factory.mktemp("drawn")
    draw = random.Random(2014)
    predictions, references = [], []
    for how, share in (("noisy", 0.5), ("awkward", 0.3), ("short", 0.1), ("drawn", 0.1)):
        more, wanted = lines_of_translations.corpus(draw, int(LINES * share), 2, how)
        predictions += more
        references += wanted
    columns = [predictions, *map(list, zip(*references))]
    paths = [folder / name for name in ("predictions", "one", "two")]
    for path, lines in zip(paths, columns):
        path.write_bytes("".join(line + "\n" for line in lines).encode())
    return columns, paths


@pytest.mark.parametrize("references", [1, 2])
@pytest.mark.parametrize("tokenize", ["13a", "intl", "none"])
@pytest.mark.parametrize("lowercase", [False, True])
def test_bleu_of_drawn_lines(drawn, references, tokenize, lowercase):
    sacrebleu = pytest.importorskip("sacrebleu", reason="Python's sacrebleu is not installed")
    (predictions, *wanted), paths = drawn
    bleu = sacrebleu.BLEU(tokenize=tokenize, lowercase=lowercase, force=True)
    each = sacrebleu.BLEU(tokenize=tokenize, lowercase=lowercase, force=True, effective_order=True)
    corpus = bleu.corpus_score(predictions, wanted[:references])
    sentences = [each._aggregate_and_compute([s]).score for s in each._extract_corpus_statistics(predictions, wanted[:references])]
    *ours, summary = score("bleu", *paths[: 1 + references], "--tokenize", tokenize, "--each", *["--lowercase"] * lowercase)
    assert summary["bleu"] == pytest.approx(corpus.score, abs=1e-9)
    assert (summary["prediction_length"], summary["reference_length"]) == (corpus.sys_len, corpus.ref_len)
    assert [one["bleu"] for one in ours] == pytest.approx(sentences, abs=1e-9)


@pytest.mark.parametrize("references", [1, 2])
@pytest.mark.parametrize("metric", ["chrf", "chrf++"])
def test_chrf_of_drawn_lines(drawn, references, metric):
    sacrebleu = pytest.importorskip("sacrebleu", reason="Python's sacrebleu is not installed")
    (predictions, *wanted), paths = drawn
    chrf = sacrebleu.CHRF(word_order=2 if metric == "chrf++" else 0)
    statistics = chrf._extract_corpus_statistics(predictions, wanted[:references])
    *ours, summary = score(metric, *paths[: 1 + references], "--each")
    assert summary[metric] == pytest.approx(chrf._aggregate_and_compute(statistics).score, abs=1e-9)
    assert [one[metric] for one in ours] == pytest.approx([chrf._aggregate_and_compute([s]).score for s in statistics], abs=1e-9)


@pytest.fixture(scope="module")
def newstest2014(tmp_path_factory):
    if not MIRROR or not (pathlib.Path(MIRROR) / "wmt" / "newstest2014.de.xz").exists():
        pytest.skip("needs wmt/newstest2014.{en,de}.xz below $ATTNLAB_MIRROR, which is not set or lacks it")
    folder = tmp_path_factory.mktemp("newstest2014")
    for language in ("en", "de"):
        (folder / language).write_bytes(lzma.open(pathlib.Path(MIRROR) / "wmt" / f"newstest2014.{language}.xz").read())
    return folder / "en", folder / "de"


@pytest.mark.parametrize(
    "metric, words, value",
    [("bleu", [], 2.75), ("bleu", ["--tokenize=intl"], 3.03), ("bleu", ["--tokenize=none"], 1.11), ("chrf", [], 23.23), ("chrf++", [], 19.79)],
)  # fmt: skip
def test_the_source_of_newstest2014_as_its_translation(newstest2014, metric, words, value):
    told = score(metric, *newstest2014, *words)
    assert round(told[metric], 2) == value
    assert "|lines:3003|" in told["signature"]


def test_words_of_newstest2014(newstest2014):
    assert score("bleu", *newstest2014)["reference_length"] == 62688, "what fairseq prints for wmt14/full"
