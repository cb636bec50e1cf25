"""The scripts in scripts/plots: each runs alone, and the lines have the numbers of the records."""

import csv
import io
import json
import subprocess

import conftest
import h5py
import numpy as np
import pytest
import sweeps
from pages import PLOTS, PNG, start
from report import pictures  # noqa: F401  (puts the folder of the plots on the path)
import accuracy_by_length
import accuracy_by_projection
import bounded_state
import common
import cost_by_bytes
import learning_curve
import learning_curves
import loss_by_position
import memory_by_length
import perplexity_by_book
import perplexity_by_size
import program
import speed_by_length
from runs import load, load_run


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A folder for each kind of sweep."""
    root = tmp_path_factory.mktemp("sweeps")
    sweeps.accuracy_sweep(root / "accuracy")
    sweeps.length_sweep(root / "lengths", (1024, 4096))
    sweeps.speed_sweep(root / "speed")
    sweeps.perplexity_sweep(root / "perplexity")
    sweeps.state_sweep(root / "states")
    return root


@pytest.fixture(autouse=True)
def closed():
    yield
    common.plt.close("all")


def cases(place):
    return [case for experiment in load(place) for case in experiment.cases]


def line(axis, label):
    """(x, y) of the line of that name; the lines of error bars are named by their container."""
    for container in axis.containers:
        if container.get_label() == label:
            return container.lines[0].get_data()
    return next(held.get_data() for held in axis.get_lines() if held.get_label() == label)


@pytest.mark.parametrize(
    "plot, run",
    [
        ("learning_curve", "quickstart/aaaa1111"),
        ("accuracy_by_example_length", "quickstart/aaaa1111"),
        ("speed_memory", "luna_speed/bbbb2222"),
    ],
)
def test_each_plot_of_a_run_is_a_script_of_its_own(written, tmp_path, plot, run):
    picture = tmp_path / "picture.png"
    assert start(PLOTS / f"{plot}.py", written / run / "run.h5", "-o", picture).returncode == 0
    assert picture.read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    "plot, sweep, options",
    [
        ("learning_curves", "accuracy", []),
        ("accuracy_by_projection", "accuracy", []),
        ("accuracy_by_length", "lengths", []),
        ("speed_by_length", "speed", ["--phase", "infer"]),
        ("memory_by_length", "speed", ["--phase", "train"]),
        ("perplexity_by_size", "perplexity", []),
        ("perplexity_by_book", "perplexity", []),
        ("cost_by_bytes", "perplexity", []),
        ("bounded_state", "states", []),
        ("loss_by_position", "perplexity", []),
    ],
)
def test_each_plot_of_a_sweep_is_a_script_of_its_own(root, tmp_path, plot, sweep, options):
    picture = tmp_path / "picture.png"
    done = start(PLOTS / f"{plot}.py", root / sweep, *options, "-o", picture)
    assert (done.returncode, done.stderr) == (0, "")
    assert picture.read_bytes().startswith(PNG)


def test_single_records_can_be_compared_too(written, tmp_path):
    records = [written / "luna_text" / name / "run.h5" for name in ("luna1", "soft1")]
    assert start(PLOTS / "learning_curves.py", *records, "-o", tmp_path / "picture.png").returncode == 0
    assert (tmp_path / "picture.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    "plot, place",
    [
        ("speed_memory", "quickstart/aaaa1111/run.h5"),
        ("speed_by_length", "quickstart"),
        ("perplexity_by_size", "luna_text"),
        ("perplexity_by_book", "luna_text"),
        ("cost_by_bytes", "luna_text"),
        ("bounded_state", "luna_text"),
        ("loss_by_position", "quickstart/aaaa1111/run.h5"),
    ],
)
def test_a_plot_says_when_there_is_nothing_to_show(written, tmp_path, plot, place):
    done = start(PLOTS / f"{plot}.py", written / place, "-o", tmp_path / "picture.png")
    assert done.returncode == 1
    assert "holds nothing that this plot shows" in done.stderr
    assert not (tmp_path / "picture.png").exists()


def test_accuracy_against_the_projection_length(root):
    near, whole = accuracy_by_projection.draw(cases(root / "accuracy")).axes
    assert near.get_xscale() == "log"
    x, y = line(near, "Luna, ± s.d. over seeds")
    assert x.tolist() == [16, 128, 256] and y == pytest.approx([0.6551, 0.6570, 0.6590])
    assert line(near, "Luna, published")[1] == pytest.approx([0.6574, 0.6574, 0.6578])
    labels = [text.get_text() for text in whole.texts]
    for expected in ("Transformer 65.10", "Transformer, published 65.21", "floor: byte counts 65.26",
                     "floor: majority class 50.00", "Local attention 53.20"):  # fmt: skip
        assert expected in labels
    assert "Local attention 53.20" not in [text.get_text() for text in near.texts], "it would flatten the rest"


def test_accuracy_against_the_length_has_the_floor_of_each_length(root):
    (axis,) = accuracy_by_length.draw(cases(root / "lengths")).axes
    x, y = line(axis, "floor: logistic regression on byte counts")
    assert list(x) == [1024, 4096] and list(y) == pytest.approx([0.6286, 0.6526])
    assert line(axis, "Luna-256")[1] == pytest.approx([0.6290, 0.6590])
    assert axis.get_xlabel().startswith("bytes")


def test_the_curve_of_a_language_model_is_in_perplexity(tmp_path):
    made = learning_curve.draw(load_run(conftest.language_model(tmp_path / "lm" / "dddd4444")))
    panels = {axis.get_title(loc="left"): axis for axis in made.axes}
    assert "Loss (nat per token)" in panels
    axis = panels["Perplexity ± standard error"]
    assert axis.get_yscale() == "log" and axis.yaxis.get_major_formatter()(2000) == "2,000"


def test_floors_cross_no_validation_curve_of_a_run_either(root):
    axis = learning_curve.draw(load_run(root / "accuracy" / "Luna-161" / "run.h5")).axes[1]
    edge, value = line(axis, "floor: majority class (test)")
    assert min(edge) > 0.9 and list(value) == pytest.approx([0.5] * 2)
    assert line(axis, "accuracy on test")[1] == pytest.approx([0.6531])


def test_the_mean_curve_is_over_the_seeds_that_are_done(root):
    made = learning_curves.draw(cases(root / "accuracy"))
    panels = {axis.get_title(loc="left"): axis for axis in made.axes if axis.get_title(loc="left")}
    assert len(panels) == 9
    three = panels["Luna-16, 3 seeds"].get_lines()
    seeds = [held.get_ydata() for held in three if held.get_linewidth() == 0.8]
    mean = next(held.get_ydata() for held in three if held.get_marker() != "None")
    assert len(seeds) == 3 and mean == pytest.approx(np.mean(seeds, axis=0))
    one = panels["Synthesizer, 1 of 3 done"].get_lines()
    assert next(held.get_xdata()[-1] for held in one if held.get_marker() != "None") == 2000


def diamonds(axis):
    """Accuracies on test, each a mark by itself."""
    return [mark.get_ydata()[0] for mark in axis.get_lines() if mark.get_marker() == "D" and len(mark.get_ydata()) == 1]


def test_floors_stand_at_the_accuracy_on_test_and_across_no_validation_curve(root):
    held = cases(root / "accuracy")
    (axis,) = [one for one in learning_curves.draw(held).axes if one.get_title(loc="left") == "Luna-16, 3 seeds"]
    (_, highest), (_, majority) = (line(axis, f"floor: {name} (test)") for name in ("byte counts", "majority class"))
    assert list(highest) == pytest.approx([0.6526] * 2) and list(majority) == pytest.approx([0.5] * 2)
    assert diamonds(axis) == pytest.approx([0.6551])
    few = [case for case in held if case.series in ("Luna-16", "Transformer")]
    (axis,) = learning_curves.draw(few).axes
    edge, _ = line(axis, "floor: majority class (test)")
    assert min(edge) > 0.9, "of the width, at the right edge"
    assert sorted(diamonds(axis)) == pytest.approx([0.6510, 0.6551])


def test_speed_and_its_ratio_to_both_transformers(root):
    seconds, rate, textbook, fused = speed_by_length.draw(cases(root / "speed"), phase="train").axes
    # Luna-16 takes 0.175·k seconds, the Transformers 0.12·k + 0.24·k² and 0.12·k + 0.20·k², at k thousand tokens.
    k = np.array([1.024, 2.048, 3.072, 4.096, 8.192])
    assert line(seconds, "Luna-16")[1] == pytest.approx(0.175 * k)
    assert line(rate, "Luna-16")[1] == pytest.approx(1 / 0.175)
    assert line(textbook, "Luna-16")[1] == pytest.approx((0.12 + 0.24 * k[:4]) / 0.175), "8,192 was skipped"
    assert line(fused, "Luna-16")[1] == pytest.approx((0.12 + 0.20 * k) / 0.175)
    assert line(fused, "Transformer (fused)")[1] == pytest.approx(1)
    guide = line(seconds, "guide: linear growth")
    assert guide[1][1] / guide[1][0] == pytest.approx(8)
    assert all(axis.get_yscale() == axis.get_xscale() == "log" for axis in (seconds, rate, textbook, fused))


def test_only_the_comparisons_that_the_experiment_asks_for_are_drawn(tmp_path):
    sweeps.speed_sweep(tmp_path / "speed", (1024, 2048))
    asked = {"to": {"fused": "Transformer (fused)"}, "speedup": ["train_tokens_per_second"], "fraction": []}
    for record in (tmp_path / "speed").glob("*/run.h5"):
        with h5py.File(record, "r+") as file:
            file.attrs["compare"] = json.dumps(asked)
    held = cases(tmp_path)
    fused = speed_by_length.draw(held, phase="train").axes[2]
    assert fused.get_title(loc="left") == "Tokens a second, times Transformer (fused) at the same length"
    k = np.array([1.024, 2.048])
    assert line(fused, "Luna-16")[1] == pytest.approx((0.12 + 0.20 * k) / 0.175)
    for made in (speed_by_length.draw(held, phase="infer"), memory_by_length.draw(held, phase="train")):
        assert len(made.axes) == 2, "no panel of a ratio"


def test_a_ratio_that_no_case_has_gets_no_panel(root):
    alone = [case for case in cases(root / "speed") if case.label == "Luna-16"]
    for case in alone:
        case.row["figures"]["train_seconds_speedup_fused"] = {**case.row["figures"]["train_seconds"], "value": None}
    titles = [axis.get_title(loc="left") for axis in speed_by_length.draw(alone, phase="train").axes]
    assert len(titles) == 3 and not any("fused" in title for title in titles)


def test_published_ratios_are_hollow_marks(root):
    textbook = speed_by_length.draw(cases(root / "speed"), phase="train").axes[2]
    luna = line_of(textbook, "Luna-16")
    hollow = [held for held in textbook.get_lines() if held.get_markerfacecolor() == "white" and len(held.get_xdata()) == 1]
    assert [(held.get_xdata()[0], held.get_ydata()[0]) for held in hollow] == [(4096, 5.5)]
    assert hollow[0].get_markeredgecolor() == luna.get_color()


def test_the_bars_of_a_time_are_its_least_and_most_repetition(root):
    seconds = speed_by_length.draw(cases(root / "speed"), phase="infer").axes[0]
    luna = next(held for held in seconds.containers if held.get_label() == "Luna-16")
    (least, most), *_ = [segment[:, 1] for segment in luna.lines[2][0].get_segments()]
    middle = 0.175 * 1.024 / 3
    assert (least, most) == pytest.approx((0.95 * middle, 1.2 * middle))


def test_memory_and_its_fraction_of_both_transformers(root):
    allocator, resident, textbook, fused = memory_by_length.draw(cases(root / "speed"), phase="train").axes
    k = np.array([1.024, 2.048, 3.072, 4.096])
    assert line(allocator, "Luna-16")[1][:4] == pytest.approx(30 * k)
    assert line(resident, "Luna-16")[1][:4] == pytest.approx(36 * k)
    assert line(textbook, "Luna-16")[1] == pytest.approx(30 / (60 + 140 * k))


def test_perplexity_against_the_size_of_the_cache(root):
    near, above = perplexity_by_size.draw(cases(root / "perplexity")).axes
    sizes, perplexities = line(near, "tova+4")
    # exp of 1.9 nat and 0.6, 0.3, 0.1 nat more
    assert list(sizes) == [64, 256, 1024] and perplexities == pytest.approx(np.exp([2.5, 2.2, 2.0]))
    assert line(near, "full cache")[1] == pytest.approx(np.exp([1.9, 1.9]))
    assert line(near, "baseline")[1] == pytest.approx(np.exp([3.1, 2.65, 2.2])), "read in chunks, but no full cache"
    assert near.get_ylim()[1] < 1.5 * np.exp(1.9), "the window's published figure would flatten the rest"
    assert (7.16, 7.16) in faint_lines(near) and (9.63, 7.72, 7.25) in faint_lines(near)
    assert line(above, "tova+4")[1] == pytest.approx(100 * np.expm1([0.6, 0.3, 0.1]))
    window = 100 * (np.array([4812.27, 3275.58, 1001.29]) / 7.16 - 1)  # above the full cache of the same source
    (said,) = [held for points, held in faint_lines(above).items() if points == pytest.approx(window)]
    assert said.get_color() == line_of(above, "window").get_color() and above.get_ylim()[1] > window[0]


def test_perplexity_without_a_full_cache_is_shown_whole(root):
    near, whole = perplexity_by_size.draw([case for case in cases(root / "perplexity") if case.label != "full"]).axes
    assert line(whole, "tova+4")[1] == pytest.approx(np.exp([2.5, 2.2, 2.0]))
    assert whole.get_ylim()[1] > 4812 > near.get_ylim()[1]


def test_perplexity_against_bytes_of_state(root):
    (axis,) = bounded_state.draw(cases(root / "states")).axes
    kib, perplexities = line(axis, "Luna")  # 2,048 bytes a state
    assert list(kib) == [32, 128] and perplexities == pytest.approx(np.exp([2.8, 2.7]))
    kib, perplexities = line(axis, "tova+4")
    assert list(kib) == [128, 512, 2048] and perplexities == pytest.approx(np.exp([2.5, 2.2, 2.0]))
    assert list(line(axis, "full")[0]) == [8192]
    assert axis.get_xscale() == axis.get_yscale() == "log"
    assert axis.get_ylabel() == "perplexity, log scale"
    assert bounded_state.draw(cases(root / "perplexity")) is None, "caches of one model have a plot by size"


def test_bytes_of_state_can_be_drawn_from_a_table_alone(root, tmp_path):
    command = [program.find(), "table", root / "states", "--format", "csv"]
    table = subprocess.run(command, capture_output=True, text=True, check=True)
    (axis,) = bounded_state.draw_table(list(csv.DictReader(io.StringIO(table.stdout)))).axes
    (other,) = bounded_state.draw(cases(root / "states")).axes
    for name in ("Luna", "tova+4", "window", "full"):
        np.testing.assert_allclose(line(axis, name), line(other, name), rtol=1e-6)
        np.testing.assert_allclose(line_of_bars(axis, name), line_of_bars(other, name), rtol=1e-6)
    case = next(case for case in cases(root / "states") if case.label == "Luna-16")
    low, high = line_of_bars(axis, "Luna")[0]
    assert high - low == pytest.approx(2 * case.estimate("perplexity").spread) and high > low, "one seed has bars, too"
    (tmp_path / "table.csv").write_text(table.stdout)
    done = start(PLOTS / "bounded_state.py", tmp_path / "table.csv", "-o", tmp_path / "picture.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "picture.png").read_bytes().startswith(PNG)


def test_a_table_that_is_not_there_is_one_sentence(tmp_path):
    done = start(PLOTS / "bounded_state.py", tmp_path / "none.csv", "-o", tmp_path / "picture.png")
    assert done.returncode == 2 and done.stderr.endswith("none.csv cannot be read: No such file or directory\n")


def faint_lines(axis):
    return {tuple(held.get_ydata()): held for held in axis.get_lines() if held.get_alpha() == 0.5}


def line_of(axis, label):
    return next(held for held in axis.containers if held.get_label() == label).lines[0]


def test_perplexity_book_by_book_is_against_the_same_book_with_the_full_cache(root):
    (axis,) = perplexity_by_book.draw(cases(root / "perplexity")).axes
    # tova+4 at k = 64 costs 0.5, 0.55, 0.6, 0.65 and 0.7 nat in the five books, whatever the books cost themselves.
    held = next(held for held in axis.containers if held.get_label() == "tova+4")
    assert held.lines[0].get_ydata()[0] == pytest.approx(np.exp(0.6))
    bar = held.lines[2][0].get_segments()[0][:, 1]
    assert bar == pytest.approx(np.exp([0.55, 0.65]))


def test_perplexity_book_by_book_needs_a_full_cache(root):
    assert perplexity_by_book.draw([case for case in cases(root / "perplexity") if case.label != "full"]) is None


def test_cost_against_bytes_is_paired_by_document(root):
    (axis,) = cost_by_bytes.draw(cases(root / "perplexity")).axes
    mib, cost = line(axis, "tova+4")  # 2,048 bytes a state
    assert list(mib) == [0.125, 0.5, 2] and axis.get_xscale() == axis.get_yscale() == "log"
    # At k = 64 0.5, 0.55, 0.6, 0.65 and 0.7 nat in the five books: scipy.stats.sem of them is 0.0353553.
    assert cost[0] == pytest.approx(100 * np.expm1(0.6))
    bar = line_of_bars(axis, "tova+4")[0]
    assert bar == pytest.approx(100 * np.expm1([0.6 - 2 * 0.0353553, 0.6 + 2 * 0.0353553]), rel=1e-6)
    without_full = [case for case in cases(root / "perplexity") if case.label != "full"]
    assert cost_by_bytes.draw(without_full) is None


def line_of_bars(axis, label):
    """(lowest, highest) of each point's bar."""
    held = next(held for held in axis.containers if held.get_label() == label)
    return [segment[:, 1] for segment in held.lines[2][0].get_segments()]


def test_loss_by_position_has_a_panel_for_three_sizes_at_most(root):
    full, *axes = loss_by_position.draw(cases(root / "perplexity")).axes
    at, losses = line(full, "full cache")
    assert list(at) == [511.5, 1535.5, 2559.5, 3583.5] and losses == pytest.approx([1.9] * 4)
    titles = [axis.get_title(loc="left") for axis in axes]
    assert titles == [f"Above the full cache, k = {k} (nat a token)" for k in ("64", "256", "1,024")]
    # Nothing in the first range, which is read before anything is dropped; 0.6 and 0.1 nat on average over all four.
    assert line(axes[0], "tova+4")[1] == pytest.approx([0, 0.8, 0.8, 0.8])
    assert line(axes[2], "tova+4")[1] == pytest.approx(np.array([0, 4, 4, 4]) / 30)
    names = axes[0].get_legend_handles_labels()[1]
    assert sorted(names) == ["tova+4", "window"], "not the baseline, whose chunks are shorter"


def test_loss_by_position_beyond_the_full_caches_chunks_is_no_difference(tmp_path):
    sweeps.cache_run(tmp_path / "e" / "full", "full", 0, 0, 9.63)
    sweeps.cache_run(tmp_path / "e" / "tova", "tova+4", 64, 0.6, 9.63)
    with h5py.File(tmp_path / "e" / "full" / "run.h5", "r+") as file:
        table = file["/eval/position"]
        for name, column in list(table.items()):
            first_two, told = column[:2], dict(column.attrs)
            del table[name]
            table[name] = first_two
            table[name].attrs.update(told)
    full, bounded = loss_by_position.draw(cases(tmp_path)).axes
    assert len(line(full, "full cache")[1]) == 2
    assert bounded.get_title(loc="left") == "Loss by position, k = 64 (nat a token)"
    assert line(bounded, "tova+4")[1] == pytest.approx([1.9, 2.7, 2.7, 2.7])


def test_loss_by_position_of_one_run(root):
    (axis,) = loss_by_position.draw_run(load_run(root / "perplexity/tova464/run.h5")).axes
    assert line(axis, "tova+4")[1] == pytest.approx([1.9, 2.7, 2.7, 2.7])


def test_loss_by_position_of_one_run_has_nothing_of_its_other_seeds(tmp_path):
    for seed, more in ((1, 0.6), (2, 0.3)):
        sweeps.cache_run(tmp_path / "e" / f"seed{seed}", "tova+4", 64, more, 9.63)
        with h5py.File(tmp_path / "e" / f"seed{seed}" / "run.h5", "r+") as file:
            file.attrs["seed"] = seed
    (case,) = cases(tmp_path)
    assert line(loss_by_position.draw([case]).axes[0], "tova+4")[1] == pytest.approx([1.9, 2.5, 2.5, 2.5])
    for run, loss in zip(case.runs, (2.7, 2.3)):
        assert line(loss_by_position.draw_run(run).axes[0], "tova+4")[1] == pytest.approx([1.9, loss, loss, loss])
