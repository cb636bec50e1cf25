"""attnlab run, started several times over by mpirun: one run, its record and its checkpoints."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import h5py
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/release/attnlab"
LIBRARY = ROOT / "build/release/src/kernels/libattnlab_mpi.so"
CONFIG = """\
task: train_lm
device: cpu
threads: 1
data: {type: texts, path: texts}
validation: {type: texts, path: texts}
tokenizer: {vocabulary: 320}
model: {dim: 16, ffn_dim: 32, layers: 2, heads: 4, kv_heads: 2, max_positions: 64}
context: 32
batch_size: 2
train: {updates: UPDATES, accumulate: 4, validate_interval: 10, log_interval: 1, checkpoint_interval: 7, learning_rate: 0.01}
"""
WORDS = "cat dog girl king".split()
ENVIRONMENT = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_btl_vader_single_copy_mechanism="none")

pytestmark = pytest.mark.skipif(not shutil.which("mpirun") or not LIBRARY.exists(), reason="built without MPI")


class Lab:
    def __init__(self, folder, updates):
        self.folder = folder
        (folder / "texts").mkdir(parents=True)
        for i in range(4):
            words = "\n".join(f"The {WORDS[(i + j) % 4]} saw {j % 7} birds ." for j in range(400))
            (folder / "texts" / f"{i}.txt").write_text(words + "\n")
        (folder / "lm.yaml").write_text(CONFIG.replace("UPDATES", str(updates)))

    def start(self, ranks, *overrides, command=("run",), environment=ENVIRONMENT):
        launcher = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []
        return subprocess.Popen([*launcher, str(PROGRAM), *command, "lm.yaml", *overrides], cwd=self.folder, text=True,
                                env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments, **options):
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    @property
    def runs(self):
        return [path.parent for path in self.folder.glob("results/lm/*/run.h5")]

    def record(self):
        (folder,) = self.runs
        with h5py.File(folder / "run.h5") as file:
            return dict(file.attrs), np.array(file["train/loss"]), np.array(file["eval/validation_curve/value"])

    def wait_for(self, file, seconds=60):
        end = time.monotonic() + seconds
        while not (self.runs and (self.runs[0] / file).exists()):
            assert time.monotonic() < end
            time.sleep(0.02)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("alone"), 30)
    status, _, err = lab.run(1)
    assert status == 0, err
    return lab


def expect_as_alone(lab, alone, processes):
    attributes, losses, values = lab.record()
    expected = alone.record()
    assert attributes["status"] == "done" and attributes["processes"] == processes
    assert attributes["run_id"] == expected[0]["run_id"]
    assert losses.shape == (30,)
    np.testing.assert_allclose(losses, expected[1], rtol=2e-5)
    np.testing.assert_allclose(values, expected[2], rtol=2e-5)
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("ranks", [2, 4])
def test_they_do_the_run_that_one_does(alone, tmp_path, ranks):
    lab = Lab(tmp_path / "lab", 30)
    status, out, err = lab.run(ranks)
    assert status == 0, err
    expect_as_alone(lab, alone, ranks)
    assert out.count("done in") == 1 and "error" not in err
    again, out, _ = lab.run(ranks)
    assert again == 0 and out.count("is done already") == 1


def test_they_draw_the_tasks_of_a_mixture_as_one_does(tmp_path):
    story = {"metadata": {"passage_id": "1"}, "document": "The cat saw 3 birds .", "questions": [
        {"question_text": "Who?", "question_number": 1, "responses": [{"response_text": f"The {w} ."} for w in WORDS]}]}
    mixture = ["mixture={text: 1, answers: 1, questions: {type: squality, split: train}}", "context=128",
               "model.max_positions=128", "data_folder=."]
    done = []
    for ranks in (1, 2):
        lab = Lab(tmp_path / str(ranks), 30)
        (lab.folder / "squality").mkdir()
        for split in ("train", "dev"):
            (lab.folder / f"squality/squality_v1-3_{split}.jsonl").write_text(json.dumps(story) + "\n")
        status, _, err = lab.run(ranks, *mixture)
        assert status == 0, err
        done.append(lab.record())
    np.testing.assert_allclose(done[1][1], done[0][1], rtol=2e-5)
    np.testing.assert_allclose(done[1][2], done[0][2], rtol=2e-5)


def killed(lab, ranks):
    """The lab once a process that is not the first was killed after a checkpoint."""
    process = lab.start(ranks, "train.updates=100000")
    lab.wait_for("checkpoint/last.safetensors")
    others = [int(pid) for pid in subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True,
                                                 text=True).stdout.split()]
    locks = (lab.runs[0] / "lock").stat()
    first = {int(line.split()[4]) for line in pathlib.Path("/proc/locks").read_text().splitlines()
             if line.split()[5].endswith(f":{locks.st_ino}")}
    victim = next(pid for pid in others if pid not in first)
    os.kill(victim, signal.SIGKILL)
    began = time.monotonic()
    out, err = process.communicate(timeout=60)
    return process.returncode, time.monotonic() - began, err


def test_one_that_is_killed_ends_the_others_and_another_number_goes_on(tmp_path):
    lab = Lab(tmp_path / "lab", 30)
    status, seconds, err = killed(lab, 2)
    assert status != 0 and seconds < 10
    assert "mpirun noticed that process rank" in err and "signal 9" in err
    process = lab.start(1, "train.updates=100000")
    assert any("resuming after update" in process.stdout.readline() for _ in range(4))
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143


def test_a_signal_to_one_leaves_a_run_that_another_number_ends_as_one_does(alone, tmp_path):
    lab = Lab(tmp_path / "lab", 30)
    process = lab.start(2)
    lab.wait_for("checkpoint/last.safetensors")
    (rank, *_) = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    os.kill(int(rank), signal.SIGTERM)
    process.communicate(timeout=60)
    if lab.record()[0]["status"] != "done":  # it may have been quicker
        assert process.returncode == 143 and lab.record()[0]["status"] == "interrupted"
        status, _, err = lab.run(4)
        assert status == 0, err
        expect_as_alone(lab, alone, 4)


def test_those_that_were_given_different_runs_are_refused(tmp_path):
    lab = Lab(tmp_path / "lab", 30)
    one = [str(PROGRAM), "run", "lm.yaml"]
    both = subprocess.run(["mpirun", "--oversubscribe", "-n", "1", *one, ":", "-n", "1", *one, "seed=2"], cwd=lab.folder,
                          env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert both.returncode == 2 and lab.runs == []
    said = "error: process 2 of 2 was given another configuration than the first"
    assert len(re.findall(said, both.stderr)) == 1


def test_one_that_cannot_read_its_configuration_ends_all(tmp_path):
    lab = Lab(tmp_path / "lab", 30)
    one = [str(PROGRAM), "run"]
    both = subprocess.run(["mpirun", "--oversubscribe", "-n", "1", *one, "lm.yaml", ":", "-n", "1", *one, "gone.yaml"],
                          cwd=lab.folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert both.returncode == 2
    assert len(re.findall("error: process 2 of 2: .*gone.yaml", both.stderr)) == 1


@pytest.mark.parametrize(
    "overrides, sentence",
    [
        (["train.accumulate=3"], "error: train.accumulate: 3 micro-batches cannot be shared evenly by 2 processes"),
        (["train.updats=3"], "error: .*updats"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(tmp_path, overrides, sentence):
    lab = Lab(tmp_path / "lab", 30)
    status, _, err = lab.run(2, *overrides)
    assert status == 2 and lab.runs == []
    assert len(re.findall(sentence, err)) == 1, err


def test_a_task_that_trains_nothing_is_refused(tmp_path):
    lab = Lab(tmp_path / "lab", 30)
    (lab.folder / "lm.yaml").write_text("task: speed\n")
    status, _, err = lab.run(2)
    assert status == 2
    assert "task: speed is no training that 2 processes can share" in err


def test_a_sweep_is_refused(tmp_path):
    lab = Lab(tmp_path / "lab", 30)
    status, _, err = lab.run(2, command=("sweep",))
    assert status == 2 and "can share one run and no sweep" in err


def test_a_launcher_without_mpi_is_told_how(tmp_path):
    lab = Lab(tmp_path / "lab", 30)
    status, _, err = lab.run(1, environment=ENVIRONMENT | {"SLURM_STEP_NUM_TASKS": "2"})
    assert status == 2
    assert "2 processes were started together, and MPI sees 1 of them: start them with mpirun" in err
