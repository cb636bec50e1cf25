"""Prints in plain words what a classification run reached and where its files are. Reads run.h5 and nothing else.

usage: closing_summary.py RUN_FOLDER
"""

import math
import pathlib
import sys

import h5py
import yaml


class Figure:
    """A scalar of /summary with its n and standard error."""

    def __init__(self, dataset):
        self.value = float(dataset[()])
        self.n = int(dataset.attrs["n"])
        self.error = float(dataset.attrs["standard_error"])

    def percent(self):
        return f"{100 * self.value:.2f} % ± {100 * self.error:.2f}"


def data_words(config):
    """What an example is called, and how much of it the model reads."""
    encoding = config["encoding"]
    most = encoding["max_length"] - int(encoding["cls"])
    if config["data"]["type"] == "imdb":
        return "test reviews", f"{most:,} bytes", "byte"
    return f"test examples ({config['data']['type']})", f"{most:,} symbols", "symbol"


def meaning(accuracy, floor, symbol):
    """What the difference to the floor allows to say. Both were tested on the same examples, so their errors are at
    most as independent as assumed here, and the interval errs on the wide side."""
    difference = accuracy.value - floor.value
    error = math.hypot(accuracy.error, floor.error)
    size = f"The difference of {100 * difference:+.2f} points (standard error at most {100 * error:.2f})"
    if difference > 2 * error:
        return f"{size} is clear: the model learned more than how often each {symbol} occurs."
    if difference < -2 * error:
        return f"{size} is clear: the model learned less than how often each {symbol} occurs."
    return (
        f"{size} is within noise: this run does not show that the model learned more than how often each\n"
        f"  {symbol} occurs. Accuracies like this one are a check of the harness, not of attention."
    )


def lines(file, folder):
    figures = {name: Figure(dataset) for name, dataset in file["summary"].items()}
    config = yaml.safe_load(file.attrs["config"])
    examples, most, symbol = data_words(config)
    accuracy = figures["accuracy"]
    yield f"Test accuracy  {accuracy.percent()} (standard error) on {accuracy.n:,} {examples}, the first {most} of each"
    if "accuracy_byte_counts" in figures:
        floor = figures["accuracy_byte_counts"]
        yield f"Floor          {floor.percent()}: a logistic regression on {symbol} counts of the same texts"
        yield f"  {meaning(accuracy, floor, symbol)}"
    if "accuracy_majority" in figures:
        yield f"Chance         {100 * figures['accuracy_majority'].value:.2f} %: always the most frequent class"
    if "training_seconds" in figures:
        yield (
            f"Training       {figures['training_seconds'].value:,.0f} s on {file.attrs['threads']} threads; "
            f"the best of {figures['updates'].value:,.0f} updates on held-out training examples is number "
            f"{figures['best_update'].value:,.0f}"
        )
        yield (
            f"Peak memory    {figures['resident_peak'].value / 2**20:,.0f} MiB resident, "
            f"{figures['tensor_peak'].value / 2**20:,.0f} MiB of it tensors"
        )
    if file.attrs["limit"] > 0:
        yield f"Limited        to the first {file.attrs['limit']:,} examples"
    yield f"Record         {folder / 'run.h5'} (status {file.attrs['status']})"
    yield f"Report         {folder / 'report.html'}"
    for picture in sorted(folder.glob("**/*.png")):
        yield f"Plot           {picture}"


def main():
    folder = pathlib.Path(sys.argv[1])
    with h5py.File(folder / "run.h5") as file:
        print("== Result", *(f"  {line}" for line in lines(file, folder)), sep="\n")


if __name__ == "__main__":
    main()
