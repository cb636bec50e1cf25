"""Prints in plain words what a classification run reached and where its files are, and what the quickstart's second
part came to, where there was one.

usage: closing_summary.py RUN_FOLDER [FOLDER_OF_SECOND_PART]
"""

import pathlib
import sys
import textwrap

import smollm2_summary
import tova_summary
from report import words
from paths import shown, visible
from runs import NoRun, load_run

WIDTH = 118


def data_words(run):
    """What an example is called, and how much of it the model reads."""
    most = run.length - int(run.setting("encoding.cls", False))
    kind = run.setting("data.type")
    examples = "test reviews" if kind == "imdb" else f"test examples ({kind})"
    return examples, f"{most:,} {run.symbol}s"


def lines(run):
    figures = run.figures
    accuracy = figures["accuracy"]
    examples, most = data_words(run)
    yield (
        f"Test accuracy  {words.percent(accuracy)} (standard error) on {accuracy.n:,} {examples}, "
        f"the first {most} of each"
    )
    for floor in run.floors("accuracy"):
        yield f"Floor          {words.percent(floor)}: {floor.row}"
    for sentence in words.interpretation(run):
        yield from textwrap.wrap(sentence, WIDTH, initial_indent="  ", subsequent_indent="  ")
    if "training_seconds" in figures:
        yield (
            f"Training       {figures['training_seconds'].value:,.0f} s on {run.attributes['threads']} threads; "
            f"the best of {figures['updates'].value:,.0f} updates on held-out training examples is number "
            f"{figures['best_update'].value:,.0f}"
        )
        yield (
            f"Peak memory    {figures['resident_peak'].value / 2**20:,.0f} MiB resident, "
            f"{figures['tensor_peak'].value / 2**20:,.0f} MiB of it tensors"
        )
    if (limit := int(run.attributes.get("limit", 0))) > 0:
        yield f"Limited        to the first {limit:,} examples"
    folder = run.path.parent
    yield f"Record         {run.path} (status {run.status})"
    yield f"Report         {folder / 'report.html'}"
    for picture in visible(folder, "**/*.png"):
        yield f"Plot           {picture}"


def main():
    try:
        run = load_run(sys.argv[1])
    except NoRun as error:
        print(f"closing_summary: {shown(str(error))}", file=sys.stderr)
        return 2
    print("== Result", *(f"  {shown(line)}" for line in lines(run)), sep="\n")
    for folder in sys.argv[2:]:
        second = smollm2_summary if pathlib.Path(folder).name == "quickstart_smollm2" else tova_summary
        told = second.lines(pathlib.Path(folder), WIDTH)
        print("== A pre-trained decoder with bounded caches (TOVA)", *(f"  {shown(line)}" for line in told), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
