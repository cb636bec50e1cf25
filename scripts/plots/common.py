"""What all plots share: colours, type, and the command line `PLOT.py RUN.h5 -o PICTURE.png`."""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
import environment  # noqa: E402

environment.require("matplotlib", "h5py", "yaml")
import matplotlib  # noqa: E402

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from runs import NoRun, Run  # noqa: E402

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
COLOURS = [BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK]
GREY = "#666666"
MARKERS = "osD^vPX"  # beside the colour, so that a grey print tells the lines apart

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


def figure(panels, heights=2.1, **options):
    """A column of panels of `heights` inches each: (figure, list of axes)."""
    made, axes = plt.subplots(panels, 1, figsize=(WIDTH, heights * panels + 0.4), squeeze=False, **options)
    made.get_layout_engine().set(h_pad=0.12)
    return made, list(axes[:, 0])


def save(made, path):
    made.savefig(path, dpi=170)
    plt.close(made)


def percent_axis(axis):
    axis.yaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1.0, decimals=None))


def main(draw, description):
    """The command line of one plot. `draw(run)` returns a figure, or None where the run has nothing to show."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("run", metavar="RUN.h5", help="the record of a run")
    parser.add_argument("-o", "--output", default=None, help="the picture (default: beside the record)")
    arguments = parser.parse_args()
    try:
        run = Run(arguments.run)
    except NoRun as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    made = draw(run)
    if made is None:
        parser.exit(1, f"{parser.prog}: {arguments.run} holds nothing that this plot shows\n")
    save(made, arguments.output or run.path.with_name(pathlib.Path(sys.argv[0]).stem + ".png"))
