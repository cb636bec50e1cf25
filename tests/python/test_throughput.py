"""Throughput at the largest batch within a memory budget, from the experiment's YAML to its table and the report."""

import csv
import io
import subprocess

import pages
import program
import pytest

SMALL = """
name: small_throughput
task: decode_speed
device: cpu
sizes: {vocabulary: 64, dim: 256, ffn_dim: 64, layers: 2, heads: 4}
context: 512
batch_size: 0
memory_budget: 0.125
tokens: 2
warm_up: 0
thread_counts: [2]
read_bytes: 1048576
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A sweep of the cases of experiments/tova/throughput.yaml over a small model."""
    place = tmp_path_factory.mktemp("throughput")
    whole = (pages.ROOT / "experiments/tova/throughput.yaml").read_text()
    cases = whole[whole.index("compare:") : whole.index("  grid:")]
    published = str(pages.ROOT / "experiments/published/tova_throughput.yaml")
    (place / "small.yaml").write_text(SMALL + cases.replace("../published/tova_throughput.yaml", published))
    attnlab("sweep", place)
    return place


def attnlab(command, place, *more):
    words = [program.find(), command, place / "small.yaml", f"results_folder={place}/results", *more]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def rows(folder):
    text = attnlab("table", folder, "--format", "csv")
    return {row["label"].split(" = ")[-1]: row for row in csv.DictReader(io.StringIO(text)) if row["kind"] == "ours"}


def test_the_smaller_the_cache_the_more_texts(rows):
    batches = [float(rows[share]["batch"]) for share in ("full", "1/2", "1/4", "1/8", "1/16")]
    assert batches == sorted(batches) and batches[0] > 10 and batches[-1] > 8 * batches[0]
    assert all(float(row["resident_peak"]) <= 0.125 * 2**30 for row in rows.values())


def test_ratios_to_the_full_cache_stand_beside_the_published_ones(rows):
    speedup = "tokens_per_second_2_threads_speedup_full"
    each = {share: float(row["tokens_per_second_2_threads"]) for share, row in rows.items()}
    for share, theirs in {"full": 1, "1/2": 1.7, "1/4": 3.1, "1/8": 4.8, "1/16": 8.5}.items():
        assert float(rows[share][f"published_{speedup}"]) == theirs
        assert float(rows[share][speedup]) == pytest.approx(each[share] / each["full"], rel=1e-4)
    assert float(rows["1/8"]["batch_fraction_full"]) == pytest.approx(
        float(rows["1/8"]["batch"]) / float(rows["full"]["batch"]), rel=1e-4
    )


def test_the_report_says_how_many_texts_and_of_what_budget(folder, rows):
    chosen = folder / "results/small_throughput" / rows["1/8"]["run_ids"]
    assert pages.report(chosen) == 0
    batch = f"{float(rows['1/8']['batch']):,.0f}"
    assert f"Batch {batch} texts within 0.125 GiB" in pages.Page(chosen / "report.html").text
