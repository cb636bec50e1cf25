#!/usr/bin/env python3
"""Which positions a bounded cache keeps, over the steps, from the expiry of the first chunk that was recorded: a panel for
the first layer, those a quarter and half way, and the last. The diagonal is the newest token; a token's line ends where it
is dropped. Where heads drop apart, the shade is the share of them."""

import common
import numpy as np
from caches import name_of, size_of
from matplotlib.colors import LinearSegmentedColormap

CELLS = 512  # along each axis, at most
# A lone token among the eight of a cell must still be seen.
INK = LinearSegmentedColormap.from_list("ink", [(0, "white"), (0.12, "#8cc3e6"), (0.5, common.BLUE), (1, "#00304d")])


def draw(run):
    """None where no expiry was recorded."""
    if run.expiry is None:
        return None
    layers, expiry = run.expiry
    shown = chosen(len(layers))
    columns = min(len(shown), 2)
    rows = -(-len(shown) // columns)
    made, axes = common.plt.subplots(rows, columns, figsize=(common.WIDTH, 2.5 * rows + 0.9), squeeze=False,
                                     sharex=True, sharey=True)  # fmt: skip
    made.get_layout_engine().set(w_pad=0.12)  # the last tick of a panel and the first of the next
    for axis, at in zip(axes.flat, shown):
        picture = draw_layer(axis, expiry[at], f"Layer {layers[at]}")
    for axis in axes.flat[len(shown) :]:
        axis.set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("step (tokens read)")
    for axis in axes[:, 0]:
        axis.set_ylabel("position kept")
    bar = made.colorbar(picture, ax=axes, location="bottom", shrink=0.6, aspect=40, ticks=[0, 0.5, 1])
    bar.ax.set_xticklabels(["0", "50 %", "100 %"])
    bar.set_label(f"share of the tokens kept{' by the groups of heads' if expiry.shape[1] > 1 else ''}")
    made.suptitle(title(run, expiry.shape[-1]), fontsize=12, x=0.01, ha="left")
    return made


def title(run, tokens):
    size = size_of(run.case)
    return f"Positions kept of {tokens:,} tokens, {name_of(run.case)}" + (f", k = {size:,}" if size else "")


def chosen(layers):
    """Places of the first layer, those a quarter and half way, and the last."""
    return sorted({0, layers // 4, layers // 2, layers - 1})


def draw_layer(axis, expiry, words):
    tokens = expiry.shape[-1]
    picture = axis.imshow(kept(expiry).T, origin="lower", extent=(0, tokens, 0, tokens), vmin=0, vmax=1, cmap=INK,
                          interpolation="antialiased", aspect="auto")  # fmt: skip
    axis.set_title(words)
    axis.grid(False)
    ticks = [0, tokens // 2, tokens]
    axis.set_xticks(ticks, [f"{n:,}" for n in ticks])
    axis.set_yticks(ticks, [f"{n:,}" for n in ticks])
    return picture


def kept(expiry):
    """[step, position] in at most CELLS cells a side: the share of a cell's positions, over the groups of heads, that are
    live after its middle step. `expiry`: [group, token]."""
    tokens = expiry.shape[-1]
    cells = min(CELLS, tokens)
    edges = np.linspace(0, tokens, cells + 1).astype(int)
    steps = (edges[:-1] + edges[1:] - 1) // 2
    position = np.arange(tokens)
    end = np.where(expiry < 0, tokens, expiry)
    live = [((position <= step) & (step < end)).mean(axis=0) for step in steps]
    return np.add.reduceat(np.array(live), edges[:-1], axis=1) / np.diff(edges)


if __name__ == "__main__":
    common.main(draw, __doc__)
