"""scripts/slurm: what they submit, with a sbatch and a program that only write down what they are given."""

import os
import pathlib
import subprocess

import pytest

SLURM = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "slurm"


@pytest.fixture
def submit(tmp_path):
    """submit(script, *words, list=…): the run, and the words that sbatch got; `list` is what the program prints."""

    def fake(name, text):
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)

    def run(script, *words, program="printf 'index  id\\n0      aa\\n1      bb\\n'"):
        fake("sbatch", f"printf '%s\\n' \"$@\" > '{tmp_path}/words'")
        fake("attnlab", program)
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "ATTNLAB": str(tmp_path / "attnlab")}
        done = subprocess.run([str(SLURM / script), *words], capture_output=True, text=True, env=environment)
        given = tmp_path / "words"
        return done, given.read_text().splitlines() if given.exists() else []

    return run


def test_a_sweep_is_an_array_whose_elements_are_warned_themselves(submit):
    done, words = submit("sweep", "experiments/a.yaml", "x=a b", "--", "--time=1")
    assert done.returncode == 0, done.stderr
    assert "--array=0-1" in words and "--job-name=a" in words and "--time=1" in words
    # Without B: Slurm signals the steps of srun alone, and here are none (man sbatch).
    assert [word for word in words if word.startswith("--signal")] == ["--signal=B:TERM@120"]
    assert words[-1].startswith("--wrap=exec ") and words[-1].endswith(r"run experiments/a.yaml x=a\ b  --index $SLURM_ARRAY_TASK_ID")


def test_a_training_warns_the_processes_that_srun_starts(submit):
    done, words = submit("train", "2", "experiments/a.yaml", "--index", "1", "--", "--time=1")
    assert done.returncode == 0, done.stderr
    assert "--ntasks=2" in words and "--signal=TERM@120" in words
    assert words[-1].startswith("--wrap=exec srun ") and "run experiments/a.yaml --index 1" in words[-1]


def test_an_experiment_without_runs_says_so(submit):
    done, words = submit("sweep", "experiments/a.yaml", program="echo 'index  id'")
    assert (done.returncode, words) == (2, [])
    assert done.stderr == "sweep: experiments/a.yaml describes no run\n"


def test_a_mistake_in_the_experiment_is_the_programs_to_tell(submit):
    done, words = submit("sweep", "experiments/a.yaml", program="echo 'error: a.yaml:1: no' >&2; exit 2")
    assert (done.returncode, words) == (2, [])
    assert done.stderr == "error: a.yaml:1: no\n"
