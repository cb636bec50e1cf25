"""scripts/report on sweeps whose point is a ratio: it stands in the first table, and nothing with a direction is lost."""

import pytest
import sweeps
from pages import Page, report
from report import columns
from cases import Estimate  # noqa: I001  (on the path that report makes)


@pytest.fixture
def page(tmp_path):
    """page(name, sweep) is the page of that sweep."""

    def make(name, sweep):
        sweep(tmp_path / name)
        assert report(tmp_path / name) == 0
        return Page(tmp_path / name / "report.html")

    return make


def test_ratios_and_shares_of_forms_come_first_and_the_rest_is_folded(page):
    made = page("causal_speed", sweeps.causal_sweep)
    first = made.row("case")
    ratios = [f"scan speedup {form} {n}" for form in ("chunks", "outer products", "softmax") for n in ("1 thread", "2 threads")]
    assert first == ["case", "seeds", *ratios, "product share 1 thread (%)", "product share 2 threads (%)", "runs"]
    row = made.row("256 tokens, projection length 16")
    assert row[2:] == ["2.00", "2.00", "3.00", "3.00", "4.00", "4.00", "27.0", "27.0", "1 done"]
    assert made.row("1,024 tokens, projection length 16")[4:8] == ["–", "–", "3.00", "3.00"]
    second = made.rows[made.rows.index(made.row("figure")) :]
    lengths = ("256", "1,024", "4,096")
    assert second[0][1:] == [f"{n} tokens, projection length {rows}" for n in lengths for rows in (16, 128)]
    assert {row[0] for row in second[1:15]} == {
        *(f"extra bytes {form} (MiB)" for form in ("scan", "chunks", "outer products", "softmax")),
        *(f"seconds {form} {n} (s)" for form in ("scan", "chunks", "outer products", "softmax")
          for n in ("1 thread", "2 threads")),
        "read share 1 thread (%)", "read share 2 threads (%)",
    }  # fmt: skip
    assert "Other figures of every case" in made.text


def test_lengths_that_stand_in_labels_make_no_grid_of_empty_cells(page):
    made = page("causal_speed", sweeps.causal_sweep)
    assert "no record" not in made.text
    names = [row[0] for row in made.rows if row and "tokens, projection length" in row[0]][:6]
    assert names == [f"{n} tokens, projection length {rows}" for n in ("256", "1,024", "4,096") for rows in (16, 128)]


def test_a_comparison_stands_beside_its_figure(page):
    made = page("decode_speed", sweeps.decode_sweep)
    assert made.row("case") == [
        "case", "seeds", "decode seconds (s)", "times better than Transformer", "decode state bytes (MiB)",
        "as a fraction of that of Transformer", "decode tokens per second (thousand tokens/s)", "runs",
    ]  # fmt: skip
    # (512 / 128)² s beside 512 / 128 s; 25 of 100 MiB
    assert made.row("Luna-16, target length 512")[2:6] == ["4.00", "4.00", "25.0", "0.250"]
    assert "Other figures" not in made.text


def test_what_is_published_of_figures_and_of_comparisons_stands_beside_them_in_their_unit(page):
    made = page("throughput", sweeps.throughput_sweep)
    assert made.row("case")[2:] == [
        "text cache bytes (MiB)", "published", "generation speed (thousand tokens/s)", "times better than full",
        "published: the same", "runs",
    ]  # fmt: skip
    # 2.8e8 / 2^20 = 267.0, 1.5e8 / 2^20 = 143.1
    assert made.row("tova, k = 1/8")[2:7] == ["12.5", "267", "0.0550", "5.50", "4.8"]
    assert made.row("k = 256")[2:] == ["", "143.1", "", "", "8.5", "published only"]


def test_figures_that_are_compared_come_before_those_that_are_not(page):
    made = page("decoder_only_lm", sweeps.decoder_sweep)
    assert made.row("case")[2:6] == [
        "perplexity validation", "as a fraction of that of Transformer", "training speed (thousand tokens/s)",
        "times better than Transformer",
    ]  # fmt: skip
    assert made.row("Luna-16, context 2048")[2:6] == ["210", "1.05", "2.50", "2.50"]
    others = [row for row in made.rows if row and row[0] == "case"][1]
    assert others == ["case", "validation seconds (s)"]


def test_times_over_five_rounds_stand_as_median_and_quartiles():
    told = {"name": "train_seconds", "unit": "s", "better": "lower", "row": "", "over_seeds": True}
    five = Estimate(mean=2.4, spread=0.9, n=5, quartiles=(1.0, 2.0, 3.5), **told)
    assert columns.estimate(five, "train_seconds") == "2.00 [1.00, 3.50]"
    assert columns.estimate(Estimate(mean=2.4, spread=0.9, n=3, **told), "train_seconds") == "2.40 ± 0.90"
