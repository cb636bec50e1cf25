"""scripts/report on a results root: overview, tables of sweeps beside the published figures, what is missing."""

import re
import shutil
import types

import h5py
import pytest
import sweeps
from pages import PNG, REPORT, Page, report, start
from report import html, scaling_tables
from runs import load


@pytest.fixture(scope="module")
def page(written, tmp_path_factory):
    """The report of the results root, made once."""
    output = tmp_path_factory.mktemp("out") / "report.html"
    done = start(REPORT, written, "-o", output)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == str(output)
    return Page(output), output.parent


def made(folder, sweep, **options):
    """The page of one sweep alone."""
    sweep(folder, **options)
    assert report(folder) == 0
    return Page(folder / "report.html")


@pytest.fixture(scope="module")
def accuracies(tmp_path_factory):
    return made(tmp_path_factory.mktemp("a") / "lra_text", sweeps.accuracy_sweep)


@pytest.fixture(scope="module")
def lengths(tmp_path_factory):
    return made(tmp_path_factory.mktemp("l") / "accuracy_by_length", sweeps.length_sweep)


@pytest.fixture(scope="module")
def speeds(tmp_path_factory):
    return made(tmp_path_factory.mktemp("s") / "speed_memory", sweeps.speed_sweep, lengths=(1024, 2048, 4096, 8192))


@pytest.fixture(scope="module")
def perplexities(tmp_path_factory):
    return made(tmp_path_factory.mktemp("p") / "pg19_perplexity", sweeps.perplexity_sweep)


# The page


def test_the_page_needs_no_other_file(page):
    assert page[0].sources, "the plots are inside"
    assert all(source.startswith("data:image/png;base64,") for source in page[0].sources)


def test_every_plot_also_lies_beside_the_page(page):
    names = {path.name for path in (page[1] / "plots").iterdir()}
    assert "quickstart_aaaa1111_learning_curve.png" in names
    assert "luna_speed_bbbb2222_speed_memory.png" in names
    assert "luna_text_learning_curves.png" in names
    assert len(names) == len(page[0].sources)
    assert all((page[1] / "plots" / name).read_bytes().startswith(PNG) for name in names)


def test_navigation_and_overview_lead_to_every_experiment(page):
    experiments = ["part-luna-speed", "part-luna-text", "part-quickstart"]
    assert [name for name in page[0].ids if name.startswith("part-")] == ["part-overview", *experiments]
    assert page[0].links == ["#part-overview"] + [f"#{name}" for name in experiments] * 2


def test_the_overview_has_a_line_an_experiment(page):
    assert page[0].row("luna_text", "4 done 1 diverged 1 interrupted 1 unreadable ", "1,024 tokens")[3] == (
        "test accuracy (%): 65.60 ± 0.46, attention luna, 3 seeds; highest floor 63.75"
    )


def contrast(colour):
    """WCAG 2's contrast of a colour on white."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_every_colour_of_text_is_legible_on_white():
    assert contrast("#767676") == pytest.approx(4.54, abs=0.01)  # the lightest grey that WCAG's AA allows
    used = re.findall(r"(?:[ ;{]color|--ink|--soft|--blue): (#[0-9a-f]{6})", html.STYLE)
    assert len(used) >= 6
    assert all(contrast(colour) >= 4.5 for colour in used)


# Accuracies


def test_a_row_has_mean_spread_published_and_the_distance_to_the_floor(accuracies):
    # 65.31, 65.51, 65.71: mean 65.51, sample standard deviation 0.20, and so the differences to 65.26.
    assert accuracies.row("Luna-16")[:5] == ["Luna-16", "3", "65.51 ± 0.20", "65.74", "+0.25 ± 0.20"]
    assert "accuracy above byte counts" not in accuracies.text, "once is enough"


def test_the_distance_of_a_single_seed_has_the_recorded_error_and_is_bold_beyond_twice_that(accuracies):
    assert accuracies.row("Synthesizer")[4] == "−3.76 ± 0.30 (se)"
    bold = [text for text, tag in zip(accuracies.words, accuracies.tags) if tag == "b"]
    assert "−3.76 ±\u00a00.30\u00a0(se)" in bold and not any(text.startswith("+0.25") for text in bold)


def test_a_distance_of_which_no_error_is_recorded_has_none(accuracies):
    assert accuracies.row("Local attention")[2:5] == ["53.20 ± 0.20", "–", "−12.06"]


def test_a_single_seed_shows_the_standard_error_and_says_so(accuracies):
    # sqrt(0.615 · 0.385 / 25000) = 0.31 points
    assert accuracies.row("Synthesizer")[1:3] == ["1", "61.50 ± 0.31 (se)"]
    assert "(se): one seed, standard error as recorded." in accuracies.text, "no table has a row for each of the examples"


def test_what_a_standard_error_is_over_is_the_records_word(page, perplexities):
    said = "(se): one seed, standard error over the examples, else as recorded."
    assert said in page[0].text, "of those held out there is no table"
    assert "(se): one seed, standard error over the documents." in perplexities.text


def test_speeds_are_named_by_what_the_task_does(perplexities):
    assert "reading speed (thousand tokens/s)" in perplexities.text and "training speed" not in perplexities.text


def test_floors_and_rows_that_only_the_paper_has_follow(accuracies):
    models = [row[0] for row in accuracies.rows]
    first = models.index("Transformer")
    assert models[first + 9 : first + 13] == [
        "floor: logistic regression on byte counts", "floor: majority class", "Reformer", "BigBird"
    ]  # fmt: skip
    assert accuracies.row("floor: logistic regression on byte counts")[2] == "65.26 ± 0.30 (se)"
    assert accuracies.row("Reformer")[3] == "56.10" and accuracies.row("Reformer")[-1] == "published only"
    assert "Published: Ma et al. 2021, table 2." in accuracies.text


def test_lunas_are_in_the_order_of_their_projection_length(accuracies):
    lunas = [row[0] for row in accuracies.rows if re.fullmatch(r"Luna-\d+", row[0])]
    assert lunas[:3] == ["Luna-16", "Luna-128", "Luna-256"]


def test_what_is_missing_or_failed_has_its_reason(accuracies):
    assert accuracies.row("Performer")[-1] == "2 done; no record of seed 3"
    state = "1 done; seed 2 diverged: the loss is NaN at update 600.; seed 3 interrupted"
    assert accuracies.row("Synthesizer")[-1] == state
    assert accuracies.row("Synthesizer, seed 2", "diverged")[2] == (
        "the loss is NaN at update 600. The gradient of classifier.weight was the first."
    )
    assert "24 done" in accuracies.text and "1 interrupted" in accuracies.text


def test_the_protocol_is_stated_once_and_what_differs_is_listed(accuracies):
    assert "Length at most 4,002 tokens, <CLS> and </s> included; longer texts are cut Vocabulary" in accuracies.text
    assert "luna (projection_length 128) (3 of 26 runs)" in accuracies.text
    assert "Batch 32 examples Precision fp32" in accuracies.text
    assert "Seed 1, 2, 3" in accuracies.text
    assert "Threads 2" in accuracies.text and "Test CPU at 3 GHz" in accuracies.text


def test_plots_of_each_run_are_left_out_where_there_are_many(accuracies):
    assert len(accuracies.sources) == 2, "against the projection length, and the curves"
    assert "Plots of a single run: scripts/report RUN_FOLDER" in accuracies.text


def test_older_records_without_labels_are_named_by_what_was_swept(page):
    # 65.2, 66.1, 65.5: mean 65.60, sample standard deviation 0.458
    assert page[0].row("attention luna")[:3] == ["attention luna", "3", "65.60 ± 0.46"]
    assert page[0].row("foreign1", "unreadable")[2].endswith(
        "run.h5 is no HDF5 file: something else wrote it or it was cut short"
    )


# Lengths


def test_accuracies_of_several_lengths_stand_side_by_side_over_their_floors(lengths):
    assert lengths.row("case", "1,024", "2,048", "3,072", "4,096")
    luna = ["62.51 ± 0.31 (se)", "63.51 ± 0.30 (se)", "64.51 ± 0.30 (se)", "65.51 ± 0.30 (se)"]
    assert lengths.row("Luna-16")[1:] == luna
    assert lengths.row("floor: logistic regression on byte counts")[1:] == ["62.86", "63.66", "64.46", "65.26"]


def test_a_floor_that_differs_says_for_which_length(lengths):
    assert lengths.row("floor: logistic regression on byte counts (1,024 tokens)")[2] == "62.86 ± 0.31 (se)"


# Speed and memory


def test_times_have_a_column_a_length_and_a_skipped_cell_says_so(speeds):
    # 0.12·k + 0.24·k² at k = 1.024, 2.048, 4.096
    assert speeds.row("Transformer (textbook)")[1:] == ["0.375", "1.25", "4.52", "skipped"]
    reason = speeds.row("Transformer (textbook), length 8192", "skipped")[2]
    assert reason == "needs about 12.1 GiB, 9.8 GiB are available"


def test_ratios_to_each_reference_with_the_published_figure(speeds):
    rows = [row for row in speeds.rows if row[0] == "Luna-16"]
    # time: (0.12 + 0.24·4.096) / 0.175 = 6.303; memory: 30 / (60 + 140·4.096) = 0.0474
    assert ["Luna-16", "2.09", "3.49", "6.30 [5.5]", "–"] in rows
    assert rows[4] == ["Luna-16", "0.148", "0.0865", "0.0474", "–"]
    # and over the fused Transformer: (0.12 + 0.20·8.192) / 0.175 = 10.05
    assert rows[3][-1] == "10.0"
    assert "Time of a step, times faster than Transformer (fused)" in speeds.text


def test_what_doubling_costs(speeds):
    assert speeds.row("case", "training: time of a step, 1,024 to 2,048")
    rows = [row for row in speeds.rows if row[0] == "Luna-256"]
    assert rows[-1] == ["Luna-256"] + ["2.00"] * 12
    # (0.12 + 0.20·8.192) / (0.12 + 0.20·4.096) · 2 = 3.74
    assert [row for row in speeds.rows if row[0] == "Transformer (fused)"][-1][3] == "3.74"


def test_rows_that_only_the_paper_has_are_named(speeds):
    assert "In brackets: published (Ma et al. 2021)." in speeds.text
    assert speeds.row("published") == ["published", "Time of a step, times faster than Transformer (textbook)"]
    assert [row for row in speeds.rows if row[0] == "Reformer, 4K"] == [["Reformer, 4K", "0.79"]]


def test_a_sweep_repeated_with_an_override_is_not_taken_for_more_seeds(tmp_path):
    folder = tmp_path / "speed_memory"
    sweeps.speed_sweep(folder, lengths=(1024, 2048))
    for cell in list(folder.iterdir()):
        shutil.copytree(cell, folder / f"{cell.name}b")
        with h5py.File(folder / f"{cell.name}b" / "run.h5", "r+") as file:
            file.attrs["config"] = file.attrs["config"].replace("precision: fp32", "precision: bf16")
            file["summary/train_seconds"][...] /= 2
    cases = load(folder)[0].cases
    assert {len(case.runs) for case in cases} == {1}
    luna = {case.condition["precision"]: case for case in cases if case.label == "Luna-16" and case.length == 1024}
    assert {case.series for case in luna.values()} == {"Luna-16, precision fp32", "Luna-16, precision bf16"}
    assert luna["fp32"].estimate("train_seconds").mean == pytest.approx(0.175 * 1.024)
    assert luna["bf16"].estimate("train_seconds").mean == pytest.approx(0.175 * 1.024 / 2)
    for case in luna.values():  # each is compared with the reference of its own precision
        assert case.estimate("train_seconds_speedup_fused").mean == pytest.approx((0.12 + 0.20 * 1.024) / 0.175)


def test_repetitions_behind_a_time_are_stated(speeds):
    assert "Median of 5 repetitions; single steps lie between 0.95 and 1.20 of it." in speeds.text


def test_one_repetition_has_no_spread():
    once = types.SimpleNamespace(estimate=lambda _: types.SimpleNamespace(mean=2.0), repetitions=lambda _: (2.0, 2.0, 1))
    assert scaling_tables.repetitions_note([once, once], "train_seconds") == "One repetition, no spread."


def test_a_comparison_in_one_run_has_tables(page):
    text = page[0].text
    assert "luna-16 1 0.61 200 8.03" in text
    assert "allocator peak (MiB)" in text
    assert "textbook 1 1,843" in text
    assert "250.0 GFLOP/s" in text


# Perplexities


def test_a_row_has_the_perplexity_beside_the_published_one(perplexities):
    # exp(1.9), exp(2.5); the standard error is the record's
    assert perplexities.row("full")[:4] == ["full", "1", "6.69 ± 0.30 (se)", "7.16"]
    assert perplexities.row("tova+4, size 64")[2:4] == ["12.2 ± 0.3 (se)", "9.63"]


def test_sizes_stand_side_by_side_with_the_published_perplexities_in_brackets(perplexities):
    # exp(1.9 + 0.6), exp(1.9 + 0.3), exp(1.9 + 0.1)
    assert perplexities.row("tova+4") == ["tova+4", "12.2 [9.63]", "9.03 [7.72]", "7.39 [7.25]"]
    assert perplexities.row("full cache") == ["full cache", *["6.69 [7.16]"] * 3]
    assert "In brackets: published (Oren et al. 2024)." in perplexities.text


def test_what_dropping_costs_is_compared_on_the_same_documents(perplexities):
    # e^0.6 − 1; the costs of the five books lie 0.05 nat apart: 1.822 · 0.05 · √2.5 / √5
    found = [row for row in perplexities.rows if row[0] == "tova+4"]
    assert found[1] == ["tova+4", "82.21 ± 6.44", "34.99 ± 4.77", "10.52 ± 3.91"]
    assert "geometric mean over the documents ± its standard error" in perplexities.text


def test_the_protocol_of_a_perplexity_says_chunks_and_caches(perplexities):
    text = perplexities.text
    assert "Model models/small" in text and "Batch 4 chunks" in text
    cut = "chunks of 4,096 tokens, BOS before each chunk; a shorter last one is kept; the first 65,536 tokens of a document"
    assert cut in text
    assert "chunks of 256 tokens, BOS before each chunk" in text, "the baseline's"
    assert "tova, 64 states a layer, heads layer_wise, first 4 protected" in text
    assert "window, 1,024 states a layer" in text and "everything in the chunk" in text
    assert "Evaluated on 20,480 tokens of 5 documents" in text


def test_perplexities_are_plotted_by_size_by_book_and_by_position(perplexities):
    for words in ("Perplexity against the states", "against the bytes", "document by document", "by its position in the chunk"):
        assert words in perplexities.text
    assert len(perplexities.sources) == 4 + 7, "and the losses of each run but the three baselines"
