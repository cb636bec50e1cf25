"""A folder of random weights, as the program reads it: scripts/random_model."""

import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/lib"))
from program import find  # noqa: E402

SMALL = "--dim 64 --ffn-dim 96 --layers 2 --heads 4 --kv-heads 2 --vocabulary 100 --context 128".split()


def make(folder, *arguments):
    command = [sys.executable, ROOT / "scripts/random_model", folder, *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


@pytest.mark.parametrize("kind", ["fp32", "bf16"])
def test_its_speed_is_measured(tmp_path, kind):
    done = make(tmp_path / "model", *SMALL, "--type", kind)
    assert done.returncode == 0, done.stderr
    weights = 2 * 100 * 64 + 2 * (2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 96 + 2 * 64) + 64
    data = (tmp_path / "model/model.safetensors").stat().st_size
    assert 0 <= data - weights * (4 if kind == "fp32" else 2) < 4096, "the weights and their header"
    for experiment, sizes in (
        ("decoding_smollm2", ["context=32", "tokens=4", "warm_up=1", "read_bytes=2000000"]),
        ("scoring_smollm2", ["length=32", "repetitions=1", "product_size=64", "cache.size=8"]),
    ):
        command = [find(), "run", str(ROOT / f"experiments/tova/{experiment}.yaml"), "--index", "0", "precision=saved"]
        command += [f"model={tmp_path / 'model'}", f"results_folder={tmp_path}", "thread_counts=[1]", *sizes]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr


def test_the_same_seed_makes_the_same_weights(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert make(tmp_path / name, *SMALL, "--seed", str(seed)).returncode == 0
    a, b, c = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")
    assert a == b != c
    assert json.loads((tmp_path / "a/config.json").read_text())["attnlab_weights"] == "random"


@pytest.mark.parametrize(
    "arguments, said",
    [(["--heads", "3"], "heads divide dim"), (["--layers", "0"], "sizes are 1 or more"), ([], "exists already")],
)
def test_wrong_sizes_and_a_folder_that_is_there_are_refused(tmp_path, arguments, said):
    folder = tmp_path / "model"
    if not arguments:
        folder.mkdir()
    done = make(folder, *SMALL, *arguments)
    assert done.returncode == 2 and said in done.stderr
    assert not (tmp_path / "model.part").exists()
