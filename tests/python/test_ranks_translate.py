"""A translator trained by two processes is the one of a single process, whichever weights a micro-batch reaches."""

import random
import subprocess

import h5py
import numpy as np
import pytest
from test_ranks import ENVIRONMENT, LIBRARY, PROGRAM

CONFIG = """\
task: translate
device: cpu
threads: 1
data: {type: multi30k, vocabulary: {pieces: 90}}
batching: {max_tokens: 400, max_positions: 40}
model:
  encoder: {dim: 16, layers: 1, heads: 2, ffn_dim: 32, attention: {type: luna, projection_length: 4}}
  decoder_layers: 1
  self_attention: {type: luna}
  cross_attention: {type: luna, projection_length: 4}
train: {updates: 40, accumulate: 2, learning_rate: 0.01, validate_interval: 20, log_interval: 1}
decoding: {beam: 2, max_length: 39}
training_bleu: shown
"""
WORDS = "dog:Hund house:Haus green:grün runs:läuft girl:Mädchen sees:sieht water:Wasser old:alt two:zwei man:Mann".split()

pytestmark = pytest.mark.skipif(not LIBRARY.exists(), reason="built without MPI")


def write_pairs(folder):
    drawn = random.Random(3)
    for part, lines in (("train", 120), ("val", 8), ("test_2016_flickr", 8)):
        pairs = [[drawn.choice(WORDS).split(":") for _ in range(drawn.randint(1, 9))] for _ in range(lines)]
        for side, language in enumerate(("en", "de")):
            text = "".join(" ".join(word[side] for word in words) + "\n" for words in pairs)
            (folder / f"{part}.{language}").write_text(text)


def test_two_processes_train_as_one(tmp_path):
    (tmp_path / "data/multi30k").mkdir(parents=True)
    write_pairs(tmp_path / "data/multi30k")
    (tmp_path / "t.yaml").write_text(CONFIG)
    found = []
    for ranks in (1, 2):
        launcher = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]
        done = subprocess.run(
            [*launcher, str(PROGRAM), "run", "t.yaml", "data_folder=data", f"results_folder=results{ranks}"],
            cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (record,) = tmp_path.glob(f"results{ranks}/t/*/run.h5")
        with h5py.File(record) as file:
            bleu = np.array(file["eval/validation_curve/bleu"])
            found.append((np.array(file["train/loss"]), list(file["translations/test/translation"]), bleu))
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-5)
    assert found[0][1] == found[1][1]
    assert len(found[0][2]) == 2
    np.testing.assert_array_equal(found[1][2], found[0][2])
