"""`attnlab tokenize` gives the ids of the `tokenizers` package for random and awkward texts, in the shape of every family
(tests/golden/tokenizer_shapes.py) and with the published tokenizers that are at hand. For developers' machines:
ATTNLAB_STRINGS=100000 asks for so many texts a tokenizer."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

import pytest

tokenizers = pytest.importorskip("tokenizers", reason="Python's tokenizers is not installed")

ROOT = pathlib.Path(__file__).resolve().parents[2]
ATTNLAB = pathlib.Path(os.environ.get("ATTNLAB_BUILD", ROOT / "build" / "release")) / "attnlab"
GOLDEN = ROOT / "tests" / "golden"
MIRROR = os.environ.get("ATTNLAB_MIRROR")
SMOLLM2 = pathlib.Path(os.environ.get("ATTNLAB_SMOLLM2", ROOT / ".data/models/SmolLM2-135M-Instruct"))
STRINGS = int(os.environ.get("ATTNLAB_STRINGS", 15000))

sys.path.insert(0, str(GOLDEN))
import tokenizer_shapes  # noqa: E402

pytestmark = pytest.mark.skipif(not ATTNLAB.exists(), reason=f"{ATTNLAB} is not built")


def tokenize(file, values, *flags):
    lines = "".join(json.dumps(value) + "\n" for value in values)
    done = subprocess.run([ATTNLAB, "tokenize", file, *flags], input=lines.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]


def first_difference(texts, ours, reference):
    return next(((t, a, b) for t, a, b in zip(texts, ours, reference, strict=True) if a != b), None)


def compare(file, texts):
    reference = tokenizers.Tokenizer.from_file(str(file))
    for bos in (False, True):
        ids = [e.ids for e in reference.encode_batch(texts, add_special_tokens=bos)]
        ours = tokenize(file, texts, "--json", f"--bos={'model' if bos else 'false'}")
        assert first_difference(texts, ours, ids) is None
    # What is deliberately read otherwise: the letters of an added token that ByteLevel would take for bytes.
    ids = [one for one in ids if not any(reference.id_to_token(i).endswith("ngström") for i in one)]
    assert first_difference(ids, tokenize(file, ids, "--decode"), reference.decode_batch(ids)) is None
    reference.encode_special_tokens = True
    ids = [e.ids for e in reference.encode_batch(texts, add_special_tokens=False)]
    assert first_difference(texts, tokenize(file, texts, "--json", "--text", "--bos=false"), ids) is None


def long_texts(rng_seed):
    """Long runs within one piece, beyond what is remembered."""
    return [text * 40 for text in tokenizer_shapes.random_texts(rng_seed, 50)] + ["a" * 20000, " " * 5000 + "x"]


@pytest.mark.parametrize("shape", sorted(tokenizer_shapes.SHAPES))
def test_a_shape_gives_the_references_ids(shape):
    file = GOLDEN / "tokenizer_json" / f"{shape}.json"
    compare(file, tokenizer_shapes.random_texts(len(shape), STRINGS) + long_texts(len(shape)))


def published(name, folder):
    """tokenizer.json of a published tokenizer, skipping where it is not at hand."""
    if name == "smollm2":
        if not (SMOLLM2 / "tokenizer.json").exists():
            pytest.skip(f"needs {SMOLLM2}/tokenizer.json; $ATTNLAB_SMOLLM2 names another folder")
        return SMOLLM2 / "tokenizer.json"
    transformers = pytest.importorskip("transformers", reason="transformers, which converts it, is not installed")
    if not MIRROR or not (model := pathlib.Path(MIRROR) / f"tokenizers/{name}_tokenizer.model").exists():
        pytest.skip(f"needs tokenizers/{name}_tokenizer.model below $ATTNLAB_MIRROR")
    shutil.copy(model, folder / "tokenizer.model")
    transformers.LlamaTokenizer.from_pretrained(str(folder)).save_pretrained(str(folder / "json"))
    return folder / "json" / "tokenizer.json"


PUBLISHED = ["smollm2", "llama2", "mistral_v1"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_tokenizer_gives_the_references_ids(name, tmp_path):
    compare(published(name, tmp_path), tokenizer_shapes.random_texts(len(name), STRINGS) + long_texts(7))


@pytest.mark.parametrize("name", PUBLISHED)
def test_whole_books(name, tmp_path):
    file = published(name, tmp_path)
    books = MIRROR and pathlib.Path(MIRROR) / "pg19/validation.tar.xz"
    if not books or not books.exists():
        pytest.skip("needs pg19/validation.tar.xz below $ATTNLAB_MIRROR")
    with tarfile.open(books) as archive:
        compare(file, [archive.extractfile(m).read().decode() for m in archive if m.name.endswith(".txt")])
