"""The plots of what a cache kept, of a run with record_expiry: what they show are the numbers of the record."""

import conftest
import h5py
import numpy as np
import pytest
import sweeps
from pages import PLOTS, PNG, start
from report import pictures  # noqa: F401  (puts the folder of the plots on the path)
import common
import kept_life_by_class
import kept_positions
from runs import load_run

TOKENS, LAYERS, GROUPS, KEPT = 64, 6, 2, 16
CLASSES = {"all": (17.9, 0.0, TOKENS), "possessive": (31.5, 2.5, 4), ".": (24.0, float("nan"), 9),
           "other": (12.0, 1.0, 50), "no text": (64.0, 0.0, 1)}  # fmt: skip


@pytest.fixture(autouse=True)
def closed():
    yield
    common.plt.close("all")


def expiry():
    """A window of 16 in the first group of every layer; in the second the first 16 tokens are kept for good and every other
    goes at once."""
    window = np.arange(TOKENS) + KEPT
    window[window >= TOKENS] = -1
    first = np.where(np.arange(TOKENS) < KEPT, -1, np.arange(TOKENS))
    return np.tile(np.stack([window, first]), (LAYERS, 1, 1)).astype(np.int32)


def write_kept(file):
    chunk = file.create_group("cache/document_0/chunk_0")
    chunk["layer"], chunk["expiry"] = np.arange(1, LAYERS + 1), expiry()
    life, error, tokens = zip(*CLASSES.values())
    conftest.write_table(
        file, "/kept/classes", "lives by class", **{"class": (list(CLASSES), "1", "class")},
        tokens=(tokens, "token", "of the class"), mean_life=(life, "step", "life"),
        standard_error=(error, "step", "over chunks"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept") / "kept_tokens" / "tova"
    sweeps.cache_run(folder, "tova+4", 64, 0.6, 9.63)
    with h5py.File(folder / "run.h5", "r+") as file:
        write_kept(file)
    return folder / "run.h5"


@pytest.mark.parametrize("plot", ["kept_positions", "kept_life_by_class"])
def test_each_is_a_script_of_its_own(record, tmp_path, plot):
    done = start(PLOTS / f"{plot}.py", record, "-o", tmp_path / "picture.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "picture.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize("plot", ["kept_positions", "kept_life_by_class"])
def test_a_run_without_expiry_has_nothing_to_show(tmp_path, plot):
    sweeps.cache_run(tmp_path / "e" / "run", "tova+4", 64, 0.6, 9.63)
    done = start(PLOTS / f"{plot}.py", tmp_path / "e" / "run" / "run.h5", "-o", tmp_path / "picture.png")
    assert done.returncode == 1 and "holds nothing that this plot shows" in done.stderr


def test_the_positions_of_four_layers_are_those_of_the_record(record):
    made = kept_positions.draw(load_run(record))
    panels = [axis for axis in made.axes if axis.get_title(loc="left").startswith("Layer")]
    assert [axis.get_title(loc="left") for axis in panels] == ["Layer 1", "Layer 2", "Layer 4", "Layer 6"]
    shown = np.asarray(panels[0].get_images()[0].get_array())  # [position, step]: a cell a token
    for step in (0, 15, 16, 40, 63):
        window = {j for j in range(step + 1) if step - j < KEPT}
        first = set(range(min(step + 1, KEPT)))
        expected = [((j in window) + (j in first)) / 2 for j in range(TOKENS)]
        assert shown[:, step].tolist() == expected, step


def test_long_texts_are_shown_in_cells(monkeypatch):
    monkeypatch.setattr(kept_positions, "CELLS", 16)
    cells = kept_positions.kept(expiry()[0, :1])
    assert cells.shape == (16, 16) and cells[-1].tolist() == [0] * 11 + [0.5] + [1] * 3 + [0.5], "step 61"
    odd = kept_positions.kept(np.full((1, 37), -1))  # 37 tokens in 16 cells: nothing is lost between them
    assert odd[-1, :-1].tolist() == [1] * 15


def test_the_bars_are_the_lives_by_class(record):
    (axis,) = kept_life_by_class.draw(load_run(record)).axes
    assert [bar.get_width() for bar in axis.patches] == [12.0, 24.0, 31.5], "the shortest life first, without BOS"
    assert [held.get_text() for held in axis.get_yticklabels()] == ["other, 50", "“.”, 9", "possessive, 4"]
    assert [held.get_text() for held in axis.texts] == ["all tokens: 18"]
