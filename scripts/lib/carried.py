"""What scripts/bundle carries of data, in the form that the program makes of it: IMDb's bytes, PG-19's token ids. Where the bundle
is unpacked nothing of the raw texts is needed.

The program itself prepares them: a step of training of the small experiments of experiments/gpu/ reads a few of the raw texts
and leaves what it made of them in the data cache (src/data/prepared.h), from which it is taken.
"""

import json
import shutil
import struct
import subprocess

HEADER = struct.Struct("<8sQQQQ64s64s")  # src/data/prepared.h
CHUNK = 512  # the context of stories260K
CHUNKS = 2  # of a book
LEAST = ["device=cpu", "train.updates=1", "train.save=false", "train.validate_interval=0", "train.precision=fp32"]


def sequences(file):
    """Of a prepared file: pairs of an example's id and its bytes."""
    data = file.read_bytes()
    magic, version, count, id_bytes, _, _, _ = HEADER.unpack_from(data)
    if (magic, version) != (b"attnseq\n", 1):
        raise ValueError(f"{file} is not a prepared data file of version 1")
    numbers = struct.unpack_from(f"<{2 * count}Q", data, HEADER.size)
    ids, symbols = numbers[:count], numbers[count:]
    names = HEADER.size + count * (8 + 8 + 4)
    texts = names + id_bytes
    for i in range(count):
        before = (ids[i - 1], symbols[i - 1]) if i else (0, 0)
        yield data[names + before[0] : names + ids[i]].decode(), data[texts + before[1] : texts + symbols[i]]


def token_ids(file):
    """Of a prepared corpus: pairs of a document's id and its token ids."""
    for name, tokens in sequences(file):
        yield name, list(struct.unpack(f"<{len(tokens) // 2}H", tokens))


def write_lines(file, documents):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps({"id": name, "ids": ids}, separators=(",", ":")) + "\n" for name, ids in documents))


def chunks_of(documents):
    """The first tokens of each document as chunks that begin with its BOS."""
    for name, ids in documents:
        bos, rest = ids[0], ids[1:]
        for i in range(min(CHUNKS, len(rest) // (CHUNK - 1))):
            yield f"{name}:{i + 1}", [bos, *rest[i * (CHUNK - 1) : (i + 1) * (CHUNK - 1)]]


class Carried:
    """Prepares in `scratch` with the program `attnlab`, of what lies in the folder `source`, into the folder `target`."""

    def __init__(self, attnlab, root, source, target, scratch):
        self.attnlab, self.root, self.source, self.target = attnlab, root, source, target
        self.raw, self.runs = scratch / "data", scratch / "runs"
        self.missing = []

    def take(self, files, what):
        """Copies raw files beside each other; False, and remembers, where there are none."""
        for file in files:
            copy = self.raw / file.relative_to(self.source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, copy)
        self.missing += [] if files else [what]
        return bool(files)

    def made(self, experiment, *words):
        """The files of the data cache after a least run."""
        place = [f"data_folder={self.raw}", f"results_folder={self.runs}"]
        command = [self.attnlab, "run", self.root / "experiments" / "gpu" / experiment, "--fresh", *LEAST, *words, *place]
        done = subprocess.run(list(map(str, command)), cwd=self.root, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"error: the data of the bundle cannot be prepared: {done.stderr.strip().splitlines()[-1]}")
        return self.raw / "prepared"

    def imdb(self, reviews):
        """A quarter of so many of each half and class, as bytes: imdb/prepared/."""
        found = [self.take(sorted((self.source / "imdb" / "aclImdb" / half / label).glob("[0-9]*.txt"))[: reviews // 4], f"IMDb's {half}/{label}")
                 for half in ("train", "test") for label in ("neg", "pos")]  # fmt: skip
        if not all(found):
            return
        made = self.made("small/luna_text.yaml", "data.validation_fraction=0.1")
        for half in ("train", "test"):
            (self.target / "imdb" / "prepared").mkdir(parents=True, exist_ok=True)
            shutil.copy(made / f"imdb-{half}.seq", self.target / "imdb" / "prepared" / f"{half}.seq")

    def corpora(self, *words):
        """The ids of training and validation after a run of train_pg19 with these words, and the cache."""
        shutil.rmtree(self.raw / "prepared", ignore_errors=True)
        made = self.made("train_pg19.yaml", "context=64", "batch_size=1", "validation_tokens=64", *words)
        held_out = {path.stem for path in (self.raw / "pg19" / "validation").glob("*.txt")}
        found = [list(token_ids(file)) for file in made.glob("tokens-*.bin")]
        is_held_out = lambda corpus: {name for name, _ in corpus} <= held_out  # noqa: E731
        return next(c for c in found if not is_held_out(c)), next(c for c in found if is_held_out(c)), made

    def pg19(self, books):
        """The first books of training and four of validation, as ids of a tokenizer of 4,096 pieces trained on them; and chunks of the
        latter as ids of stories260K's."""
        found = [self.take(sorted((self.source / "pg19" / split).glob("[0-9]*.txt"))[:count], f"PG-19's {split}")
                 for split, count in (("train", books), ("validation", min(books, 4)))]  # fmt: skip
        stories = self.source / "stories260k"
        model = sorted(stories.glob("[a-z]*"))
        self.missing += [] if model else ["stories260K"]
        for file in model:
            (self.target / "stories260k").mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, self.target / "stories260k")
        if not all(found):
            return
        if model:
            _, chunked, _ = self.corpora(f"tokenizer.path={stories}", "documents=1")
            write_lines(self.target / "pg19" / "chunks.jsonl", chunks_of(chunked))
        train, validation, made = self.corpora()
        write_lines(self.target / "pg19" / "train.jsonl", train)
        write_lines(self.target / "pg19" / "validation.jsonl", validation)
        shutil.copy(next(made.glob("tokenizer-*.model")), self.target / "pg19" / "tokenizer.model")
