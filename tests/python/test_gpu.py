"""scripts/gpu, in small on the CPU: every step to its end, what is carried away, and what is said where a thing is missing."""

import csv
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import types

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "gpu"
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import program  # noqa: E402
from gpu import carry, cells, device_tests, drive, records, report, steps  # noqa: E402


@pytest.fixture(autouse=True)
def built():
    if steps.program() is None:
        pytest.skip("the program is not built")


def gpu(place, *words):
    command = [sys.executable, SCRIPT, "--results", place / "results", "--out", place / "out", *words]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def rows(place):
    with open(place / "out" / "cells.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    if steps.program() is None:
        pytest.skip("the program is not built")
    place = tmp_path_factory.mktemp("gpu")
    for _ in range(8):  # on a busy machine it takes several calls: each goes on where the last one stopped
        done = gpu(place, "--device", "cpu", "--small", "--minutes", "1.5")
        if all(row["status"] == "done" for row in rows(place) if row["step"] not in ("train", "pg19_ids", "luna_text")) and (place / "out" / "checkpoint.tar.0").exists():
            break
    return types.SimpleNamespace(place=place, done=done)


def test_every_step_comes_to_its_end(whole):
    assert whole.done.returncode == 0, whole.done.stdout + whole.done.stderr
    of_step = {}
    for row in rows(whole.place):
        of_step.setdefault(row["step"], []).append(row)
    assert set(of_step) == {"luna", "scoring", "decoding", "throughput", "pg19_ids", "luna_text", "train"}
    for step in ("luna", "scoring", "decoding", "throughput"):
        for row in of_step[step]:
            assert row["status"] == "done", row
            assert float(row["measured_seconds"]) > 0
            assert float(row["least_seconds"]) > 0
    for step in steps.planned(True, None):
        if reason := steps.lacks(step):
            assert all((row["status"], row["reason"]) == ("not done", reason) for row in of_step[step.name]), of_step[step.name]
    assert "measured at commit" not in (whole.place / "out" / "report.txt").read_text(), "all by the program that is here"
    assert len(of_step["luna"]) == 12, "three models at two lengths, trained and not"


def figures_and_row(whole, name, label, what):
    """What a run of a small experiment recorded, and its line of the closing table."""
    folders = records.folders(whole.place / "results", ROOT / "experiments" / "gpu" / "small" / f"{name}.yaml")
    record = next(record for record in map(records.of, folders) if record.words("label").startswith(label))
    row = next(row for row in rows(whole.place) if row["step"] == name and row["cell"].startswith(label) and row["what"] == what)
    return record.figures, float(row["least_seconds"]), row["least_of"]


def test_the_least_of_a_training_step_by_hand(whole):
    """Four maps, scores and sums, two maps of the feed-forward layer; two layers, two texts of 256; a head; three times the forward."""
    n, d, f, head = 256, 64, 128, 256
    layer = 2 * (4 * n * d * d + 2 * n * n * d + 2 * n * d * f)
    flops = 3 * 2 * (2 * layer + 2 * d * head + 2 * head * 2)
    figures, least, told = figures_and_row(whole, "luna", "Transformer (fused) length=256", "training step")
    assert figures["train_flops"] == flops
    rows = 2 * n
    layer = 4 * (2 * rows * d + d * d) + 2 * (rows * (d + f) + d * f)
    attention = 4 * rows * d  # q, k, v and y; twice that backward
    around = 2 * (d + head) + d * head
    trained = figures["parameters"]
    assert figures["train_traffic"] == pytest.approx(4 * 3 * (2 * (layer + attention) + around) + 44 * trained, rel=1e-2)
    copy = records.newest(whole.place / "results", ROOT / "experiments" / "gpu" / "small" / "rates.yaml").figures["copy_rate"]
    of_flops, of_bytes = flops / figures["product_rate"], figures["train_traffic"] / copy
    assert least == pytest.approx(max(of_flops, of_bytes), rel=1e-9)
    assert told.startswith(f"{flops / 1e6:.3g} MFLOP at " if of_flops > of_bytes else f"{figures['train_traffic'] / 1e6:.3g} MB at ")


def test_the_least_of_a_step_is_the_longer_of_bytes_and_flops():
    """A megaFLOP a microsecond; bytes that take 2 µs, or half of one."""
    value = {"infer_seconds": 4e-6, "infer_flops": 1e6, "product_rate": 1e12, "infer_allocator_peak": 0.0, "infer_traffic": 4e6}
    step = steps.Step("luna", ROOT / "experiments" / "gpu" / "small" / "luna.yaml")
    (cell,) = cells.timed(step, "Luna-16", value, 2, 0.0, 2e12)
    assert (cell.least, cell.products, cell.how) == (2e-6, 0.25, "4 MB at 2 TB/s")
    assert cell.note.endswith(", 25 % of the rate of products")
    (cell,) = cells.timed(step, "Luna-16", value, 2, 0.0, 8e12)
    assert (cell.least, cell.how) == (1e-6, "1 MFLOP at 1 TFLOP/s")
    (cell,) = cells.timed(step, "Luna-16", {**value, "infer_traffic": None}, 2, 0.0, 8e12)
    assert cell.least == 1e-6


def test_the_least_of_scoring_by_hand(whole):
    """A token sees at most 65 states, itself included; nothing follows the last token."""
    n, d, f, vocabulary, most = 512, 64, 128, 256, 65
    pairs = sum(min(t + 1, most) for t in range(n))
    flops = 2 * (2 * (n * d * 4 * d + n * d * 3 * f + 2 * pairs * d)) + 2 * (n - 1) * d * vocabulary
    figures, least, _ = figures_and_row(whole, "scoring", "tova, k = 64", "1,000 tokens")
    assert least == pytest.approx(flops * 1000 / n / figures["product_rate"], rel=1e-6)


def test_the_least_of_decoding_by_hand(whole):
    """Two layers, their norms, the last norm and the head, not the embedding; 65 slots for 64 states of 512; 4 texts in fp32."""
    d, f, vocabulary, texts = 64, 128, 256, 4
    weights = 2 * (4 * d * d + 3 * d * f + 2 * d) + d + vocabulary * d
    cached = 2 * 2 * 65 * d * texts
    figures, least, told = figures_and_row(whole, "decoding", "tova, k = 1/8", "decoding step")
    assert (figures["weight_bytes"], figures["cache_bytes"]) == (4 * weights, 4 * cached)
    read, product = figures["read_rate"], figures["product_rate"]
    longer = max(4 * weights / read, 2 * weights * texts / product) + max(4 * cached / read, 2 * cached / product)
    assert least == pytest.approx(longer, rel=1e-6)
    assert told.startswith("weights 394 kB, caches 266 kB at ")


def test_the_share_of_the_rate_of_copying_by_hand():
    """10 bytes in 2 s, where 20 a second are copied."""
    value = {"step_seconds": 2.0, "least_seconds": 1.0, "weight_bytes": 6, "cache_bytes": 4, "read_rate": 10.0, "batch": 1, "tokens_per_second": 0.5}
    step = steps.Step("tova", ROOT / "experiments" / "gpu" / "small" / "decoding.yaml")
    cell = cells.decoded(step, "full", value, 0.0, 20.0)
    assert cell.copying == 0.25
    assert cell.note.endswith("25 % of the rate of copying")
    assert cells.decoded(step, "full", value, 0.0, None).copying is None


def test_the_report_says_how_the_least_comes_about(whole):
    text = (whole.place / "out" / "report.txt").read_text()
    assert cells.HOW in text
    for row in rows(whole.place):
        assert row["status"] == "not done" or row["least_of"] and row["least_of"] in text


def test_says_that_these_are_no_figures_of_a_gpu(whole):
    text = (whole.place / "out" / "report.txt").read_text()
    assert text.startswith(report.WARNING)
    assert "What is asked of a GPU" not in text


def test_what_is_carried_away_is_small(whole):
    files = list((whole.place / "out").iterdir())
    assert {file.name for file in files} >= {"report.txt", "cells.csv", "records.tar.gz"}
    assert len(files) <= 8
    assert all(file.stat().st_size < 16 << 20 for file in files)


def test_a_training_goes_on_elsewhere(whole, tmp_path):
    assert (whole.place / "out" / "checkpoint.tar.0").exists()
    shutil.copytree(whole.place / "out", tmp_path / "out")
    before = next(row for row in rows(whole.place) if row["step"] == "train")
    again = gpu(tmp_path, "--device", "cpu", "--small", "--only", "train", "--minutes", "0.5")
    assert "the training goes on from the checkpoint" in again.stdout
    after = next(row for row in rows(tmp_path) if row["step"] == "train")
    assert int(after["cell"].split()[0]) > int(before["cell"].split()[0])
    assert after["status"] == "interrupted"
    assert "the time was used up in the middle" in after["reason"]


def test_of_another_training_nothing_goes_on(whole, tmp_path, monkeypatch, capsys):
    shutil.copytree(whole.place / "out", tmp_path / "out")
    (tmp_path / "results").mkdir()
    call = drive.Call(types.SimpleNamespace(minutes=1.0, only="train", device="cpu", small=True, results=tmp_path / "results", out=tmp_path / "out"))
    monkeypatch.setattr(report, "runs_of", lambda call, step: ([{"id": "another"}], ""))
    drive.bring_back(call)
    assert "is of another model or other data than the training here" in capsys.readouterr().out


def test_a_run_has_one_id_wherever_the_folder_lies(tmp_path, monkeypatch):
    """As in a packed folder that is unpacked in two places: a checkpoint of the one goes on in the other."""
    ids = {}
    for place in (tmp_path / "one", tmp_path / "other" / "place"):
        for name in ("pg19/train.jsonl", "pg19/validation.jsonl", "pg19/chunks.jsonl", "pg19/tokenizer.model", "stories260k/config.json"):
            (place / "data" / name).parent.mkdir(parents=True, exist_ok=True)
            (place / "data" / name).touch()
        for name in ("experiments", "configs"):
            (place / name).symlink_to(ROOT / name)
        program_here = steps.program()
        with monkeypatch.context() as patch:
            patch.setattr(steps, "ROOT", place)
            patch.setattr(steps, "program", lambda: program_here)
            call = drive.Call(types.SimpleNamespace(minutes=1.0, only=None, device="cuda", small=False, results=place / "r", out=place / "o"))
            for step in call.reported:
                if step.name in ("train_pg19", "pg19_ids"):
                    words = " ".join(call.overrides(step))
                    assert "data/pg19/" in words and "data/pg19/" not in words.replace("path: data/pg19/", "")
                    found, refusal = report.runs_of(call, step)
                    assert refusal == ""
                    ids.setdefault(step.name, []).append([run["id"] for run in found])
    assert [len(found) for found in ids.values()] == [2, 2]
    assert all(one == other for one, other in ids.values())


def test_what_a_gpu_is_asked_comes_first():
    """The cells that targets() reads are those that the first steps of TOVA name by their place."""
    first = [step for step in steps.planned(False, None) if step.first]
    assert [step.name for step in first] == ["scoring_7b", "decoding_7b", "throughput_7b"]
    names = {}
    for step in first:
        told = subprocess.run([str(steps.program()), "table", str(step.experiment), "--format", "json"], capture_output=True, text=True, check=True)
        names[step.name] = [json.loads(told.stdout)["experiments"][0]["runs"][i]["name"] for i in step.first]
    assert names == {"scoring_7b": ["tova, k = 512 batch_size=16"], "decoding_7b": ["tova, k = 1/8 batch_size=70"], "throughput_7b": ["full", "tova, k = 1/8"]}
    plan = [step for step in steps.planned(False, None) if step.part == "tova"]
    assert plan[: len(first)] == first


def test_a_part_that_is_asked_for_leaves_the_others_in_the_report(whole, tmp_path):
    for name in ("results", "out"):
        shutil.copytree(whole.place / name, tmp_path / name)
    done = gpu(tmp_path, "--device", "cpu", "--small", "--only", "tova", "--minutes", "0.02")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {row["step"] for row in rows(tmp_path) if row["status"] == "done"} >= {"luna", "scoring", "decoding", "throughput"}
    with tarfile.open(tmp_path / "out" / "records.tar.gz") as archive:
        assert any("gpu_small_luna/" in name for name in archive.getnames())


def test_refuses_where_there_is_no_gpu(tmp_path):
    if shutil.which("nvidia-smi"):
        pytest.skip("there is one here")
    done = gpu(tmp_path, "--minutes", "1")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1] == "error: device: cuda was asked for, but the NVIDIA driver finds no device"


def test_a_step_that_fails_ends_alone(tmp_path, monkeypatch):
    """A program that does the rates and refuses all else."""
    fake = tmp_path / "attnlab"
    fake.write_text(f'#!/bin/sh\ncase "$1" in sweep) echo "error: out of paper" >&2; exit 1;; esac\nexec {program.find()} "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setattr(steps, "program", lambda: fake)
    options = types.SimpleNamespace(minutes=1.0, only="luna", device="cpu", small=True, results=tmp_path / "r", out=tmp_path / "o")
    assert drive.main(options) == 0
    assert "luna: out of paper" in (tmp_path / "o" / "report.txt").read_text()


def test_time_that_is_used_up_is_said(tmp_path):
    done = gpu(tmp_path, "--device", "cpu", "--small", "--only", "tova", "--minutes", "0.02")
    assert done.returncode == 0, done.stderr
    assert "the time is used up; the next call does it" in done.stdout
    assert all(row["status"] in ("not done", "done", "interrupted") for row in rows(tmp_path))


def test_the_cpu_takes_small_sizes_alone(tmp_path):
    done = gpu(tmp_path, "--device", "cpu")
    assert done.returncode == 2
    assert "--device cpu goes with --small" in done.stderr


def test_counts_tests_from_their_xml(tmp_path):
    xml = tmp_path / "t.xml"
    xml.write_text(
        '<testsuites><testsuite><testcase name="a" classname="A" status="run" result="completed"/>'
        '<testcase name="b" classname="A" status="run" result="skipped"><skipped message="m"/></testcase>'
        '<testcase name="c" classname="A" status="run" result="completed"><failure message="f"/></testcase>'
        '<testcase name="d" classname="A" status="notrun" result="suppressed"/></testsuite></testsuites>'
    )
    assert device_tests.count(xml) == (1, ["A.c"], ["A.b"])


def test_a_checkpoint_too_large_stays(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "results" / "gpu_train_pg19" / "id" / "checkpoint"
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(os.urandom(1 << 20))
    (tmp_path / "out").mkdir()
    monkeypatch.setattr(carry, "PART_BYTES", 1 << 16)
    carry.pack(tmp_path / "out", tmp_path / "results", [])
    assert "is too large to be carried away and stays in" in capsys.readouterr().out
    assert not list((tmp_path / "out").glob("checkpoint*"))
    monkeypatch.setattr(carry, "PART_BYTES", 1 << 19)
    carry.pack(tmp_path / "out", tmp_path / "results", [])
    assert len(list((tmp_path / "out").glob("checkpoint*"))) == 3
    shutil.rmtree(tmp_path / "results")
    (tmp_path / "results").mkdir()
    carry.bring_back(tmp_path / "out", tmp_path / "results")
    assert (folder / "weights").stat().st_size == 1 << 20


def test_counts_the_weights_of_the_training(tmp_path):
    assert cells.parameters_of(ROOT / "experiments" / "gpu" / "train_pg19.yaml") == 6 * (4 * 192**2 + 3 * 192 * 512) + 4096 * 192
    assert cells.layers_of(ROOT / "experiments" / "gpu" / "decoding_7b.yaml") == 32


def test_operators_are_counted_by_model_and_precision():
    """As the source launches them; what a GPU has to be asked about is whether this is what it is given."""

    def both(phase, label):
        return cells.operators(phase, f"{label} precision=bf16"), cells.operators(phase, f"{label} precision=fp32")

    assert cells.operators("decode", "tova, k = 1/8 batch_size=1") == 17
    assert (both("infer", "Luna-16"), both("train", "Luna-16")) == ((41, 18), (192, 143))
    assert (both("infer", "Transformer (fused)"), both("train", "Transformer (fused)")) == ((28, 12), (128, 94))
    assert (both("infer", "Transformer (textbook)"), both("train", "Transformer (textbook)")) == ((37, 19), (147, 109))
    assert "some 17 a decoder layer" in cells.HOW
    assert "a training step 192 and 143 (Luna), 128 and 94 (fused), 147 and 109 (textbook)" in cells.HOW


def test_the_least_of_a_training_counts_attention():
    """A context of 8 and a width of 4: a token sees 4 on average, 8 FLOPs each for scores and sums and layer, three times of all."""
    experiment = ROOT / "experiments" / "gpu" / "train_pg19.yaml"
    assert cells.attention_of(experiment) == 3 * 6 * (2 * 192 + 2 * 192) * 4096 // 2
    record = records.Record({"status": "done"}, {"parameters": 10.0}, {"/train": [{"step": 7, "tokens_per_second": 500.0, "loss": 1.0}]})
    call = types.SimpleNamespace(reasons={}, rates={"product_rate_bf16": 1e9}, options=types.SimpleNamespace(device="cuda"))
    cell = cells.training_cell(call, steps.Step("train", experiment), record)
    assert cell.least == pytest.approx(1000 * (60 + cells.attention_of(experiment)) / 1e9)
    assert cells.attention_of(ROOT / "experiments" / "gpu" / "luna_text.yaml") == 0


def described(cell, **attributes):
    """After what its record says, in a call whose program is of commit 1 on a card."""
    here = records.Record({"gpu": "a card"})
    cells.describe(types.SimpleNamespace(commit="1", rates_record=lambda: here), cell, records.Record(attributes))
    return cell


@pytest.mark.parametrize("states, status", [("device, full", "done"), ("composed, full", "failed"), ("", "failed")])
def test_steps_of_torchs_operators_are_no_figure_of_tova(states, status):
    cell = described(cells.Cell("decoding_7b", "tova, k = 1/8", "done"), states=states, device="cuda:0", git_commit="1", gpu="a card")
    assert (cell.status, cell.forms, cell.elsewhere) == (status, states, "")
    assert described(cells.Cell("decoding_7b", "tova, k = 1/8", "done"), states=states, device="cpu").status == "done"
    assert described(cells.Cell("decoding_7b", "full", "done"), states="full", device="cuda:0").status == "done"


def test_cells_of_another_commit_or_device_say_so():
    cell = described(cells.Cell("luna_4096", "Luna-16", "done"), git_commit="0123456789", gpu="another card")
    assert cell.elsewhere == "measured at commit 0123456 on another card"
    assert cell.elsewhere in " ".join(report.line_of(cell))


def test_a_perplexity_far_from_the_cpus_is_a_failure():
    near, far, cpu, other = (cells.Cell("pg19_ids", f"{label} device={device}", "done", perplexity=p)
                             for label, device, p in (("full", "cuda", 100.1), ("tova", "cuda", 106.0), ("full", "cpu", 100.0), ("tova", "cpu", 105.0)))  # fmt: skip
    cells.hold_to_cpu([near, far, cpu, other])
    assert (near.status, near.reason, near.note) == ("done", "", ", 0.1 % from the CPU's")
    assert (far.status, far.reason) == ("failed", "the perplexity is 106.0000, and 105.0000 on the CPU")
    assert (cpu.status, other.status) == ("done", "done")
    nothing = cells.Cell("pg19_ids", "full device=cuda", "done", perplexity=float("nan"))
    cells.hold_to_cpu([nothing, cpu])
    assert nothing.status == "failed"


def test_starts_bind_where_they_take_longer_than_products():
    """Two layers' forward in fp32: 36 operators, a microsecond each."""
    value = {"infer_seconds": 1e-3, "infer_flops": 1e6, "product_rate": 1e12, "infer_allocator_peak": 0.0}
    step = steps.Step("luna", ROOT / "experiments" / "gpu" / "small" / "luna.yaml")
    (cell,) = cells.timed(step, "Luna-16 length=256", value, 2, 1e-6)
    assert cell.starts == pytest.approx(36e-6)
    assert cell.binds == "starts"
    (cell,) = cells.timed(step, "Luna-16 length=256", {**value, "infer_flops": 1e8}, 2, 1e-6)
    assert cell.binds == ""


def done(step, name, what, measured, **more):
    return cells.Cell(step, name, "done", what=what, measured=measured, **more)


def judged(*all_cells):
    """The lines of targets() of such cells."""
    return report.targets(types.SimpleNamespace(cells=list(all_cells), rates={}))


def test_targets_of_nothing_were_not_measured():
    lines = judged()
    assert lines and all(line.endswith(": not measured") for line in lines)


def test_targets_are_met_or_missed():
    """Made-up cells, named as the experiments of experiments/gpu/ name theirs."""
    luna = done("luna_4096", "Luna-16 precision=bf16", "training step", 0.02, least=0.015, products=0.5)
    fused = done("luna_4096", "Transformer (fused) precision=bf16", "training step", 0.06)
    others = [
        done("luna_4096", "Luna-16 precision=fp32", "training step", 9.0),
        done("luna_4096", "Luna-16 precision=bf16", "inference", 9.0),
        done("luna_4096", "Transformer (textbook) precision=bf16", "training step", 9.0),
    ]
    scored = [done("scoring_7b", f"tova, k = 512 batch_size={b}", "1,000 tokens", 1.0, note=f"{f} of the full forward") for b, f in ((1, "7.00"), (16, "1.40"))]
    beside = done("scoring_7b", "tova, k = 512 batch_size=1", "1,000 tokens, full cache beside it", 1.0)
    decoded = done("decoding_7b", "tova, k = 1/8 batch_size=70", "decoding step", 0.016, least=0.008, copying=0.75)
    waiting = done("decoding_7b", "tova, k = 1/8, a wait each step batch_size=70", "decoding step", 0.008, least=0.008)
    rates = [done("throughput_7b", name, "decoding step", 1.0, note=f"batch 9, {rate} tokens/s, caches 1 GiB") for name, rate in (("full", 100), ("tova, k = 1/8", 500))]
    lines = judged(*others, luna, fused, *scored, beside, waiting, decoded, *rates)
    told = "\n".join(lines)
    assert "times faster than the fused Transformer's: 3.00, at least 2.5 wanted: met" in told
    assert "share of the rate of bf16 products: 0.50, at least 0.45 wanted: met" in told
    assert "over the full forward (best batch): 1.40, at most 1.5 wanted: met" in told
    assert "decoding at k = 512, batch 70: share of the rate of copying: 0.75, at least 0.7 wanted: met" in told
    assert "and of the least time at the rate of reading: 0.50, at least 0.7 wanted: MISSED" in told
    assert "largest batches that fit: 5.00, at least 4.8 wanted: met" in told
    assert "not measured" not in told


def test_cells_that_were_not_done_count_for_nothing():
    lines = judged(cells.Cell("luna_4096", "Luna-16 precision=bf16", "failed", "no", "training step", 0.02))
    assert lines[0].endswith(": not measured")


def test_the_table_is_on_the_disk_before_it_is_judged(tmp_path, monkeypatch):
    call = types.SimpleNamespace(options=types.SimpleNamespace(device="cuda", small=False), out=tmp_path, results=tmp_path, tests=[], reasons={})
    call.reported, call.commit = [], "1"
    call.plan, call.cells, call.rates = steps.planned(False, "luna"), [done("luna_4096", "Luna-16 precision=bf16", "training step", 0.02)], {}
    assert "Luna-16" in report.write(call, "")
    assert "Luna-16" in (tmp_path / "report.txt").read_text()
    assert "0.02" in (tmp_path / "cells.csv").read_text()
    assert "What is asked of a GPU" in report.judge(call)
    assert (tmp_path / "report.txt").read_text().endswith("not measured\n")


@pytest.fixture
def told(monkeypatch):
    """A call whose rates recorded these attributes."""

    def call(**attributes):
        monkeypatch.setattr(records, "newest", lambda results, experiment: records.Record(attributes))
        call = drive.Call(types.SimpleNamespace(minutes=1.0, only="tova", device="cuda", small=False, results=pathlib.Path("r"), out=pathlib.Path("o")))
        call.rates = {}
        return call

    return call


def budget_of(call):
    step = next(step for step in call.plan if step.name == "throughput_7b")
    return [word for word in call.overrides(step) if word.startswith("memory_budget")]


def test_a_batch_may_take_what_is_free(told):
    call = told(gpu_state="driver 580.65.06, architecture 9.0, 132 multiprocessors, 345 of 1980 MHz, memory 2619 MHz, 139.8 GiB in all, 100.0 GiB free")
    assert budget_of(call) == ["memory_budget=95"]
    assert "  throughput_7b may take 95 GiB, 95% of what was free when the rates were measured" in report.device_lines(call)


def test_what_a_batch_may_take_stays_from_call_to_call(told, tmp_path):
    """A run's id names it; a few hundred MiB less free are no reason to measure anew, another GPU is."""
    budgets = []
    for free, gpu in ((100.0, "a card"), (99.0, "a card"), (60.0, "a card"), (61.0, "another")):
        call = told(gpu_state=f"139.8 GiB in all, {free} GiB free", gpu=gpu)
        call.results = tmp_path
        budgets += budget_of(call)
    assert budgets == ["memory_budget=95", "memory_budget=95", "memory_budget=57", "memory_budget=57"]
    assert (tmp_path / "gpu_budget.txt").read_text() == "57 another"


def test_where_nvml_is_silent_a_batch_may_take_a_part_of_all(told):
    call = told(gpu_state="architecture 9.0, 132 multiprocessors, 80.0 GiB in all")
    assert budget_of(call) == ["memory_budget=72"]
    assert "  throughput_7b may take 72 GiB, 90% of all of it, as NVML does not say what is free" in report.device_lines(call)


def test_where_nothing_is_known_the_experiment_says_it(told):
    call = told(gpu_state="")
    assert budget_of(call) == []
    assert "  throughput_7b may take what the experiment says, since the driver says nothing of its memory" in report.device_lines(call)


def test_the_clocks_under_load_are_said(told):
    lines = report.device_lines(told(gpu_state="345 of 1980 MHz", gpu_state_end="1755 of 1980 MHz"))
    assert lines[1:3] == ["  345 of 1980 MHz", "  at the end of the rates: 1755 of 1980 MHz"]


def folder_of_a_run(results, **sizes):
    """With random files of these sizes in bytes, and the step that recorded them."""
    step = steps.planned(False, "luna")[-1]
    folder = results / "gpu_luna_lengths" / "id"
    folder.mkdir(parents=True)
    for name, size in sizes.items():
        (folder / name.replace("_", ".")).write_bytes(os.urandom(size))
    return step


def packed(out):
    with tarfile.open(out / "records.tar.gz") as archive:
        return sorted(pathlib.Path(name).name for name in archive.getnames())


def test_what_another_machine_measured_is_brought_back(tmp_path):
    step = folder_of_a_run(tmp_path / "there", run_h5=100, config_yaml=100, metrics_jsonl=100)
    (tmp_path / "there" / "gpu_tests.json").write_text("{}")
    out, here = tmp_path / "out", tmp_path / "here"
    out.mkdir()
    carry.pack(out, tmp_path / "there", [step])
    own = here / "gpu_other" / "id"
    own.mkdir(parents=True)
    (own / "run.h5").write_text("its own")
    carry.bring_back_records(out, here)
    names = sorted(str(path.relative_to(here)) for path in here.rglob("*") if path.is_file())
    assert names == ["gpu_luna_lengths/id/config.yaml", "gpu_luna_lengths/id/metrics.jsonl", "gpu_luna_lengths/id/run.h5", "gpu_other/id/run.h5", "gpu_tests.json"]
    (here / "gpu_luna_lengths" / "id" / "run.h5").write_text("gone on with")
    carry.bring_back_records(out, here)
    assert (here / "gpu_luna_lengths" / "id" / "run.h5").read_text() == "gone on with"


@pytest.mark.parametrize(
    "sizes, names",
    [
        ({"run_h5": 100, "metrics_jsonl": 100, "log_txt": 100, "config_yaml": 100}, ["config.yaml", "log.txt", "metrics.jsonl", "run.h5"]),
        ({"run_h5": 40000, "metrics_jsonl": 40000, "config_yaml": 100}, ["config.yaml", "run.h5"]),
        ({"run_h5": 80000, "metrics_jsonl": 100, "config_yaml": 100}, ["config.yaml"]),
        ({"metrics_jsonl": 100, "config_yaml": 80000}, None),
    ],
)
def test_records_too_large_are_left_out_with_a_word(tmp_path, monkeypatch, capsys, sizes, names):
    (out := tmp_path / "out").mkdir()
    step = folder_of_a_run(tmp_path / "results", **sizes)
    monkeypatch.setattr(carry, "PART_BYTES", 1 << 16)
    carry.pack(out, tmp_path / "results", [step])
    assert ("is too large to be carried away" in capsys.readouterr().out) == (names is None or len(names) < 4)
    assert (packed(out) if (out / "records.tar.gz").exists() else None) == names
    assert all(path.stat().st_size <= 1 << 16 for path in out.iterdir())


def test_of_a_long_log_the_end_is_carried_away(tmp_path, monkeypatch):
    (out := tmp_path / "out").mkdir()
    (out / "tests.log").write_text("begins\n" + "a line\n" * 2000 + "FAILED Last.Test\n")
    size = (out / "tests.log").stat().st_size
    monkeypatch.setattr(carry, "PART_BYTES", 1 << 12)
    carry.pack(out, tmp_path, [])
    text = (out / "tests.log").read_text()
    assert text.startswith(f"(the first of {size} bytes are left out)\n")
    assert text.endswith("a line\nFAILED Last.Test\n")
    assert (out / "tests.log").stat().st_size == 1 << 12


def test_no_more_than_eight_files_are_carried_away(tmp_path, monkeypatch, capsys):
    """Where something else lies beside them the checkpoint has fewer parts, or stays."""
    (out := tmp_path / "out").mkdir()
    for name in ("report.txt", "cells.csv", "tests.log", "mine", "yours"):
        (out / name).write_text("x")
    (folder := tmp_path / "results" / "gpu_train_pg19" / "id" / "checkpoint").mkdir(parents=True)
    (folder / "weights").write_bytes(os.urandom(100000))
    monkeypatch.setattr(carry, "PART_BYTES", 60000)
    carry.pack(out, tmp_path / "results", [])
    assert len(list(out.iterdir())) == 8
    (out / "ours").write_text("x")
    carry.pack(out, tmp_path / "results", [])
    assert not list(out.glob("checkpoint*"))
    assert "stays in" in capsys.readouterr().out
