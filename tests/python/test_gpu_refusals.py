"""What scripts/gpu says where a GPU cannot be used: one sentence each, and nothing is lost."""

import csv
import os
import pathlib
import shutil
import subprocess
import sys
import types

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
from gpu import drive, steps  # noqa: E402

DRIVER = r"""
#include <stddef.h>
#include <string.h>
int cuInit(unsigned flags) { return 0; }
int cuDeviceGet(int *device, int i) { *device = 0; return i; }
int cuDeviceGetName(char *name, int size, int device) { strncpy(name, "a card", size); return 0; }
int cuDriverGetVersion(int *version) { *version = KNOWS; return 0; }
"""


@pytest.fixture(autouse=True)
def built():
    if steps.program() is None:
        pytest.skip("the program is not built")


def with_driver(place, knows):
    """What scripts/gpu says beside a driver that stands in for NVIDIA's and knows this CUDA."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler makes the stand-in")
    if shutil.which("nvidia-smi"):
        pytest.skip("there is a driver here")
    (place / "driver.c").write_text(DRIVER)
    command = ["cc", "-shared", "-fPIC", f"-DKNOWS={knows}", "-o", place / "libcuda.so.1", place / "driver.c"]
    subprocess.run(list(map(str, command)), check=True)
    words = [sys.executable, ROOT / "scripts" / "gpu", "--minutes", "1", "--results", place / "results", "--out", place / "out"]
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{place}:{os.environ.get('LD_LIBRARY_PATH', '')}"}
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, env=environment)
    assert done.returncode == 2, done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.strip()


def test_a_driver_too_old(tmp_path):
    assert with_driver(tmp_path, 12080) == (
        "error: device: cuda was asked for, but the NVIDIA driver knows CUDA 12.8, and LibTorch here needs 13.0: "
        "a driver of release 580 or newer"
    )


def test_a_device_that_does_not_work(tmp_path):
    """The driver knows enough; what Torch needs is absent, or finds no device behind it."""
    told = with_driver(tmp_path, 13000)
    assert told.startswith("error: device: cuda was asked for, but ")
    assert "a full `pip install torch` brings what it needs" in told or "Torch finds no CUDA device that works" in told


@pytest.fixture
def small_call(tmp_path, monkeypatch):
    """scripts/gpu in small with these experiments behind the rates; its rows."""

    def call(*experiments, minutes=2.0):
        plan = [steps.planned(True, "luna")[0], *(steps.Step("tova", experiment) for experiment in experiments)]
        monkeypatch.setattr(steps, "planned", lambda small, only: plan)
        options = types.SimpleNamespace(minutes=minutes, only=None, device="cpu", small=True, results=tmp_path / "r", out=tmp_path / "o")
        status = drive.main(options)
        with open(tmp_path / "o" / "cells.csv", newline="") as file:
            return status, list(csv.DictReader(file))

    return call


def test_too_little_memory_leaves_a_cell_out_with_its_reason(tmp_path, small_call):
    experiment = tmp_path / "large.yaml"
    text = (ROOT / "experiments" / "gpu" / "small" / "decoding.yaml").read_text().replace("gpu_small_decoding", "gpu_small_large")
    large = '    - {label: large, cache.policy: full, cache.share: "1", context: 16777216, sizes.layers: 256}\n'
    experiment.write_text(text.replace("  grid:\n", large + "  grid:\n"))
    status, rows = small_call(experiment)
    assert status == 0
    assert sorted(row["status"] for row in rows) == ["done", "done", "skipped"]
    left_out = next(row for row in rows if row["status"] == "skipped")
    assert left_out["cell"].startswith("large")
    assert "GiB" in left_out["reason"] and "\n" not in left_out["reason"]
    assert not left_out["measured_seconds"]


def test_a_wrong_experiment_is_one_sentence_and_the_others_are_done(tmp_path, small_call):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("name: gpu_small_wrong\ntask: decode_speed\ndevice: cpu\ncontxt: 3\n")
    status, rows = small_call(wrong, ROOT / "experiments" / "gpu" / "small" / "scoring.yaml")
    assert status == 1
    assert [row["status"] for row in rows] == ["failed", "done", "done"]
    assert "contxt" in rows[0]["reason"]
