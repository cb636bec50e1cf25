"""The data sets that can be fetched. A new one is an entry in DATASETS."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Archive:
    """A tar archive (plain, gzip, bzip2 or xz), at `path` below its source's address or folder."""

    path: str
    sha256: str | None = None  # None: the source's SHA256SUMS has it; where it has not, the first download's is kept


@dataclasses.dataclass(frozen=True)
class Files:
    """What must be there once everything is unpacked, or the set is not whole."""

    pattern: str  # glob relative to the set's folder
    count: int


@dataclasses.dataclass(frozen=True)
class Dataset:
    name: str  # also the folder below the data folder
    meaning: str
    terms: str  # licence or wish of its authors
    address: str  # official; the archives of `official` are below it
    official: tuple[Archive, ...]
    packed: tuple[Archive, ...]  # the same set in a project mirror, below the mirror's root
    members: tuple[str, ...]  # globs of the archive members that are wanted
    whole: tuple[Files, ...]


@dataclasses.dataclass(frozen=True)
class BookSet:
    """Splits of books, one text file each: an object each in a bucket of Google's storage, or an archive or two a split
    in a project mirror."""

    name: str
    meaning: str
    terms: str
    address: str  # of the storage: the JSON listing and the objects are below it
    bucket: str
    splits: dict[str, int]  # books in each as published; the first one is fetched where none is named


@dataclasses.dataclass(frozen=True)
class Model:
    """A pre-trained model in a project mirror: the files of a Hugging Face folder, unpacked."""

    name: str
    meaning: str
    terms: str
    address: str  # its publisher's, where it lies in another format, which nothing here reads
    path: str  # below the mirror's root
    files: tuple[str, ...]


_IMDB_CLASSES = [f"aclImdb/{split}/{label}/*.txt" for split in ("train", "test") for label in ("pos", "neg")]

DATASETS = (
    Dataset(
        name="imdb",
        meaning="Large Movie Review Dataset: 25,000 training and 25,000 test reviews, half of each positive",
        terms="asks for citation of Maas et al. 2011, Learning Word Vectors for Sentiment Analysis (ACL)",
        address="https://ai.stanford.edu/~amaas/data/sentiment/",
        official=(
            Archive("aclImdb_v1.tar.gz", "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"),
        ),
        packed=(Archive("imdb/aclImdb.tar.xz"),),
        members=("aclImdb/README", *_IMDB_CLASSES),
        whole=tuple(Files(pattern, 12_500) for pattern in _IMDB_CLASSES),
    ),
    BookSet(
        name="pg19",
        meaning="PG-19: books of Project Gutenberg from before 1919, 100 for testing (40 MB), 50 for validation, 28,602 "
        "for training (11 GB)",
        terms="public domain in the USA; lists under Apache-2.0; asks for citation of Rae et al. 2019, Compressive "
        "Transformers",
        address="https://storage.googleapis.com/",
        bucket="deepmind-gutenberg",
        splits={"test": 100, "validation": 50, "train": 28_602},
    ),
    Model(
        name="stories260k",
        meaning="a Llama of 260,032 weights, pre-trained on TinyStories: it knows short children's stories only",
        terms="MIT, Andrej Karpathy's llama2.c; from a mirror only",
        address="https://huggingface.co/karpathy/tinyllamas",
        path="models/stories260K",
        files=(
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "tokenizer.model",
            "tokenizer_config.json",
        ),
    ),
)
