"""What all plots share: colours, type, and the command lines `PLOT.py RUN.h5 -o PICTURE.png` (one run) and
`PLOT.py RESULTS… -o PICTURE.png` (all runs of an experiment, or a table of them)."""

import argparse
import csv
import io
import math
import pathlib
import sys
import textwrap

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import environment  # noqa: E402

environment.require("matplotlib", "h5py", "yaml")
import matplotlib  # noqa: E402

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import PIL.Image  # noqa: E402
from paths import shown  # noqa: E402
from runs import NoRun, load, load_run  # noqa: E402

# Okabe & Ito, Color Universal Design (2008), without the yellow, which is lost on white paper.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, BLACK = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#000000",
)
COLOURS = [BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY]
GREY = "#666666"
# Beside the colour, so that a grey print tells the lines apart.
MARKERS = "osD^vPX<>p*h"
DASHES = ["-", (0, (5, 1.5)), (0, (4, 1.5, 1, 1.5))]

# Six inches become 390 pixels on a telephone: type of 11 points is then still read.
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "white",
}
plt.rcParams.update(STYLE)
WIDTH = 6.0
LONGEST_LABEL, LONGEST_TITLE = 24, 62  # characters that have room: of a label in two columns, of a title's line


def figure(panels, heights=2.1, **options):
    """A column of panels of `heights` inches each: (figure, list of axes)."""
    made, axes = plt.subplots(panels, 1, figsize=(WIDTH, heights * panels + 0.4), squeeze=False, **options)
    made.get_layout_engine().set(h_pad=0.12)
    return made, list(axes[:, 0])


def save(made, path):
    """With a palette of 128 colours, which these plots do not exhaust: a third of the bytes, and a report holds many."""
    held = io.BytesIO()
    made.savefig(held, dpi=170, format="png")
    plt.close(made)
    picture = PIL.Image.open(held).convert("RGB")
    picture.quantize(128, dither=PIL.Image.Dither.NONE).save(path, optimize=True)


def styles(names, references=()):
    """How each line looks, by name: the references in black, solid and dashed; the others in a colour and a marker of
    their own, and from the seventh on dashed."""
    looks, others = {}, 0
    for name in names:
        if name in references:
            at = list(references).index(name)
            dash = ["-", "--", "-.", ":"][at % 4]
            look = dict(color=BLACK, marker="sDo^"[at % 4], linestyle=dash, markerfacecolor="white")
        else:
            look = dict(
                color=COLOURS[others % len(COLOURS)],
                marker=MARKERS[others % len(MARKERS)],
                linestyle=DASHES[others // len(COLOURS) % len(DASHES)],
                markeredgecolor=BLACK,
                markeredgewidth=0.5,
            )
            others += 1
        looks[name] = {"markersize": 5.5, **look}
    return looks


def line_look(look):
    """A style without its markers."""
    return {key: look[key] for key in ("color", "linestyle")}


def legend_columns(labels, columns=2):
    """As many as have room beside each other."""
    return columns if max(map(len, labels), default=0) <= LONGEST_LABEL else 1


def legend(made, axes, columns=2):
    """One legend of all that some panels show: above several, where it is read first, beneath one."""
    held = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels()):
            held.setdefault(label, handle)
    place = "outside upper center" if len(made.axes) > 1 else "outside lower center"
    made.legend(held.values(), held.keys(), loc=place, ncols=legend_columns(held, columns), handlelength=3)


def title(axis, words):
    """In as many lines as it needs."""
    axis.set_title("\n".join(textwrap.wrap(words, LONGEST_TITLE)))


def updates_axis(axis):
    axis.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axis.set_xlabel("updates")


def length_axis(axis, lengths, label="tokens of an example (n)"):
    """A log2 axis with a tick at every length that was run."""
    axis.set_xscale("log", base=2)
    axis.set_xticks(lengths, [f"{n:,}" for n in lengths])
    axis.set_xticks([], minor=True)
    axis.set_xlim(min(lengths) / 1.15, max(lengths) * 1.15)
    if label:
        axis.set_xlabel(label)


def percent_axis(axis):
    axis.yaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{100 * value:.4g} %"))


def metric_axis(axis, metric):
    """The axis of what training is validated by: accuracies in per cent, BLEU as it is, perplexities on a log
    scale."""
    if metric == "accuracy":
        return percent_axis(axis)
    if metric == "BLEU":
        return
    log_axis(axis)


STEPS = ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))  # of a decade
MOST_TICKS = 7


class PlainTicks(matplotlib.ticker.Locator):
    """On a log scale round numbers, as many as have room, whether the axis has several decades or a part of one."""

    def __call__(self):
        return self.tick_values(*sorted(self.axis.get_view_interval()))

    def tick_values(self, vmin, vmax):
        if not 0 < vmin < vmax < math.inf:
            return []
        decades = range(math.floor(math.log10(vmin)), math.ceil(math.log10(vmax)))
        sets = ([step * 10.0**power for power in decades for step in steps] + [10.0 ** decades.stop] for steps in STEPS)
        inside = ([tick for tick in ticks if vmin <= tick <= vmax] for ticks in sets)
        found = next((ticks for ticks in inside if len(ticks) <= MOST_TICKS), None)
        if found is None:  # powers of ten alone are too many
            return matplotlib.ticker.LogLocator(numticks=MOST_TICKS).tick_values(vmin, vmax)
        return found if len(found) > 2 else matplotlib.ticker.MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(vmin, vmax)


def log_axis(axis):
    """A vertical log scale with plain numbers instead of powers of ten."""
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(PlainTicks())
    axis.yaxis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())


def main(draw, description):
    """The command line of a plot of one run. `draw(run)` returns a figure, or None where the run has nothing to show."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("run", metavar="RUN.h5", help="the record of a run")
    parser.add_argument("-o", "--output", default=None, help="the picture (default: beside the record)")
    arguments = parser.parse_args()
    try:
        run = load_run(arguments.run)
    except NoRun as error:
        parser.exit(2, f"{parser.prog}: {shown(str(error))}\n")
    output = arguments.output or run.path.with_name(pathlib.Path(sys.argv[0]).stem + ".png")
    finish(parser, draw(run), arguments.run, output)


def main_of_runs(draw, description, draw_table=None, **choices):
    """The command line of a plot of several runs. `draw(cases, **chosen)` returns a figure or None. `choices`:
    options of the plot with their allowed values, the first being the default. Where the records are gone, a plot that
    has `draw_table(rows, **chosen)` draws from the CSV file that was made of them."""
    parser = argparse.ArgumentParser(description=description)
    of_table = ", or a table of them as CSV" if draw_table else ""
    parser.add_argument(
        "results", metavar="RESULTS", nargs="+", help=f"an experiment's folder, or records of runs{of_table}"
    )
    parser.add_argument("-o", "--output", required=True, help="the picture")
    for name, values in choices.items():
        parser.add_argument(f"--{name}", choices=values, default=values[0], help="(default: %(default)s)")
    arguments = vars(parser.parse_args())
    places, output = arguments.pop("results"), arguments.pop("output")
    if draw_table and len(places) == 1 and places[0].endswith(".csv"):
        return finish(parser, draw_table(rows_of(parser, places[0]), **arguments), places[0], output)
    try:
        cases = [case for experiment in load(*places) for case in experiment.cases]
    except NoRun as error:
        parser.exit(2, f"{parser.prog}: {shown(str(error))}\n")
    finish(parser, draw(cases, **arguments), " ".join(places), output)


def rows_of(parser, path):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        parser.exit(2, f"{parser.prog}: {shown(path)} cannot be read: {error.strerror}\n")


def finish(parser, made, places, output):
    if made is None:
        parser.exit(1, f"{parser.prog}: {places} holds nothing that this plot shows\n")
    save(made, output)
