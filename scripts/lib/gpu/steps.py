"""Which steps there are, in which order, and how much of the time each part may take."""

import dataclasses
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
TESTS = ("test_kernels", "test_cache", "test_attention", "test_models")
PART_ENDS = {"rates": 0.15, "tests": 0.3, "luna": 0.5, "tova": 0.85, "train": 1.0}  # of the minutes, where all parts run
LEAST_TRAINING = 20  # seconds, under which no training is begun or gone on with


@dataclasses.dataclass(frozen=True)
class Step:
    part: str  # of PART_ENDS
    experiment: pathlib.Path | None = None  # none: the test programs

    @property
    def name(self):
        return self.experiment.stem if self.experiment else "tests"


def planned(small, only):
    """The steps of a call. The rates come first always: all other figures are held against them."""
    folder = ROOT / "experiments" / "gpu"
    if small:
        names = [("rates", "rates"), ("luna", "luna"), ("tova", "scoring"), ("tova", "decoding"), ("tova", "throughput"), ("train", "train")]
        folder /= "small"
    else:
        names = [
            ("rates", "rates"),
            ("luna", "luna_4096"),
            ("luna", "luna_lengths"),
            ("tova", "scoring_7b"),
            ("tova", "decoding_7b"),
            ("tova", "throughput_7b"),
            ("tova", "scoring_8layers"),
            ("tova", "decoding_8layers"),
            ("train", "train_pg19"),
        ]
    steps = [Step(part, folder / f"{name}.yaml") for part, name in names]
    steps.insert(1, Step("tests"))
    return [step for step in steps if step.part == "rates" or only in (None, step.part)]


def program():
    """The launcher of the packed folder, else what was built here, with the CUDA library beside it first."""
    places = [ROOT / "attnlab", ROOT / "build" / "cuda" / "attnlab", ROOT / "build" / "release" / "attnlab"]
    return next((place for place in places if place.is_file()), None)


def test_programs():
    """Those that are there: beside the launcher, or in the build's tests/."""
    here = program().parent
    for name in TESTS:
        found = next((place for place in (here / name, here / "tests" / name) if place.is_file()), None)
        if found:
            yield found
