"""Which steps there are, in which order, and how much of the time each part may take."""

import dataclasses
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
TESTS = ("test_kernels", "test_cache", "test_attention", "test_models")
PART_ENDS = {"rates": 0.15, "tests": 0.3, "luna": 0.5, "tova": 0.85, "train": 1.0}  # of the minutes, where all parts run
BEHIND = 0.7  # of what comes behind another part's first cells
TRAININGS = ("train_pg19", "train")  # whose checkpoint is carried away
LEAST_TRAINING = 20  # seconds, under which no training is begun or gone on with


@dataclasses.dataclass(frozen=True)
class Step:
    part: str  # of PART_ENDS
    experiment: pathlib.Path | None = None  # none: the test programs
    first: tuple[int, ...] = ()  # the cells, as `attnlab list` counts them, that what is asked of a GPU needs; (): all
    end: float = 0.0  # of the minutes, where it is not its part's

    @property
    def name(self):
        return self.experiment.stem if self.experiment else "tests"

    @property
    def is_sweep(self):
        return self.experiment is not None and "\nsweep:" in self.experiment.read_text()


def planned(small, only):
    """The steps of a call. The rates come first always: all other figures are held against them."""
    folder = ROOT / "experiments" / "gpu"
    if small:
        names = [("rates", "rates"), ("luna", "luna"), ("tova", "scoring"), ("tova", "decoding"), ("tova", "throughput")]
        names += [("tova", "pg19_ids"), ("train", "luna_text"), ("train", "train")]
        folder /= "small"
    else:
        names = [
            ("rates", "rates"),
            ("luna", "luna_4096"),
            ("tova", "scoring_7b", 0),
            ("tova", "decoding_7b", 0),
            ("tova", "throughput_7b", 0, 1),
            ("tova", "pg19_ids"),
            ("luna", "luna_lengths"),
            ("tova", "scoring_7b"),
            ("tova", "decoding_7b"),
            ("tova", "throughput_7b"),
            ("tova", "scoring_8layers"),
            ("tova", "decoding_8layers"),
            ("train", "luna_text"),
            ("train", "train_pg19"),
        ]
    steps = [Step(part, folder / f"{name}.yaml", tuple(first), BEHIND if name == "luna_lengths" else 0.0) for part, name, *first in names]
    steps.insert(1, Step("tests"))
    return [step for step in steps if step.part == "rates" or only in (None, step.part)]


def experiments(plan):
    """Each experiment once, with all of its cells."""
    return [Step(*key) for key in dict.fromkeys((step.part, step.experiment) for step in plan if step.experiment)]


def data_folder():
    """Where data sets are: in the packed folder those that it carries in prepared form (scripts/lib/carried.py)."""
    packed = ROOT / "data"
    return packed if packed.is_dir() else pathlib.Path(os.environ.get("ATTNLAB_DATA") or ROOT / ".data")


def data_words(step):
    """Overrides that name what the step reads. What counts in a run's id is named from ROOT, where runs are started: the id is then
    the same wherever the folder lies."""
    data = data_folder()
    words = [f"data_folder={data}"]
    data = data.relative_to(ROOT) if data.is_relative_to(ROOT) else data
    ids = lambda name: f"{{type: token_lines, path: {data / 'pg19' / name}}}"  # noqa: E731
    if step.name == "pg19_ids":
        words += [f"model={data / 'stories260k'}", f"data={ids('chunks.jsonl')}"]
    if step.name == "train_pg19" and (ROOT / data / "pg19" / "train.jsonl").is_file():
        tokenizer = f"{{path: {data / 'pg19' / 'tokenizer.model'}}}"
        words += [f"data={ids('train.jsonl')}", f"validation={ids('validation.jsonl')}", f"tokenizer={tokenizer}"]
    return words


def lacks(step):
    """What the step would read and is not here, in a sentence; "" where nothing is missing."""
    data = data_folder()
    if step.name == "luna_text" and not any((data / "imdb" / form).is_dir() for form in ("aclImdb", "prepared")):
        return f"no reviews of IMDb are in {data}; scripts/fetch_data imdb fetches them"
    if step.name == "pg19_ids" and not all((data / name).exists() for name in ("pg19/chunks.jsonl", "stories260k/config.json")):
        return f"no ids of PG-19's books are in {data}; the folder that scripts/bundle packs carries them"
    return ""


def program():
    """The launcher of the packed folder, else what was built here, with the CUDA library beside it first."""
    places = [ROOT / "attnlab", ROOT / "build" / "cuda" / "attnlab", ROOT / "build" / "release" / "attnlab"]
    return next((place for place in places if place.is_file()), None)


def commit_told(version):
    """The commit in what `attnlab --version` says."""
    return version.rpartition("commit ")[2].partition(" ")[0].strip()  # " (changed)" may stand behind it


def test_programs():
    """Those that are there: beside the launcher, or in the build's tests/."""
    here = program().parent
    for name in TESTS:
        found = next((place for place in (here / name, here / "tests" / name) if place.is_file()), None)
        if found:
            yield found
