"""The report of a run with `train: none`, which evaluates the weights of another."""

import re

import conftest
import h5py
import numpy as np
from pages import Page, report


def test_the_report_says_whose_weights_were_evaluated(tmp_path):
    folder = tmp_path / "quickstart" / "dddd4444"
    folder.mkdir(parents=True)
    config = re.sub(r"(?s)train:\n.*", "train: none\ninit_from: results/quickstart/aaaa1111\n", conftest.CONFIG)
    with h5py.File(folder / "run.h5", "w") as file:
        conftest.write_attributes(file, folder, config=config.format(seed=1))
        nothing = np.zeros(0)
        conftest.write_table(
            file,
            "/train",
            "one row a logging interval",
            step=(nothing.astype(np.int64), "1", "updates done"),
            loss=(nothing, "nat", "training loss"),
        )
        conftest.write_test_split(file, np.random.default_rng(7))
        conftest.write_figure(file, "accuracy", 0.64, n=2000, error=0.01, better="higher")
    assert report(folder) == 0
    assert "none: weights from results/quickstart/aaaa1111" in Page(folder / "report.html").text
