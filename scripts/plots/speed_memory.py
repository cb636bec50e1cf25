#!/usr/bin/env python3
"""Seconds of a training step and its peak memory, model beside model, from /speed and /memory."""

import common
import numpy as np

SETTINGS = ("n", "batch", "dropout", "threads")


def cells(table):
    """Rows by setting and model: {(n, batch, …): {model: [row, …]}}, both in the order of the file."""
    names = [name for name in SETTINGS if name in table]
    found = {}
    for row in range(len(table)):
        setting = tuple(table[name][row].item() for name in names)
        found.setdefault(setting, {}).setdefault(str(table["model"][row]), []).append(row)
    return names, found


def words(names, setting, varied):
    """A setting in words, as far as it differs between the panels."""
    return ", ".join(
        f"{name} {value:g}" if name != "threads" else f"{value:g} thread{'s' if value != 1 else ''}"
        for name, value in zip(names, setting)
        if name in varied
    )


def varied_settings(names, settings):
    return {name for i, name in enumerate(names) if len({s[i] for s in settings}) > 1}


def bars(axis, labels, values, spread, title, form):
    """Horizontal bars, so that names of models stay readable at any width."""
    places = np.arange(len(labels))[::-1]
    axis.barh(places, values, xerr=spread, color=common.SKY, edgecolor=common.BLUE, height=0.62, ecolor=common.GREY)
    axis.set_yticks(places, labels)
    reach = np.asarray(values) + (0 if spread is None else np.asarray(spread)[1])
    for place, value, end in zip(places, values, reach):
        axis.annotate(
            form.format(value), (end, place), textcoords="offset points", xytext=(4, 0), va="center", fontsize=10
        )
    axis.set_xlim(0, max(reach) * 1.18 if max(reach) > 0 else 1)
    axis.grid(axis="y", visible=False)
    axis.set_title(title)


def speed_panels(table):
    names, found = cells(table)
    varied = varied_settings(names, found)
    for setting, models in found.items():
        samples = [table["seconds"][rows] for rows in models.values()]
        middle = np.array([np.median(s) for s in samples])
        spread = np.array([[m - s.min(), s.max() - m] for m, s in zip(middle, samples)]).T
        where = words(names, setting, varied)
        title = "Seconds of a training step: median, least and most" + (f"\n{where}" if where else "")
        yield len(models), lambda axis, a=(list(models), middle, spread, title): bars(axis, *a, "{:.3g}")


def memory_panels(table):
    column = next((name for name in ("allocator_peak", "resident_peak") if name in table), None)
    if column is None:
        return
    names, found = cells(table)
    varied = varied_settings(names, found)
    for setting, models in found.items():
        values = [float(np.max(table[column][rows])) / 2**20 for rows in models.values()]
        where = words(names, setting, varied)
        title = f"MiB of a training step: {table.meanings[column] or column}" + (f"\n{where}" if where else "")
        yield len(models), lambda axis, a=(list(models), values, None, title): bars(axis, *a, "{:.0f}")


def draw(run):
    panels = []
    speed, memory = run.table("/speed"), run.table("/memory")
    if speed is not None and "model" in speed and "seconds" in speed:
        panels += speed_panels(speed)
    if memory is not None and "model" in memory:
        panels += memory_panels(memory)
    if not panels:
        return None
    rows = [count for count, _ in panels]
    made, axes = common.figure(
        len(panels), heights=0.75 + 0.3 * sum(rows) / len(rows), height_ratios=[count + 1.5 for count in rows]
    )
    for axis, (_, panel) in zip(axes, panels):
        panel(axis)
    return made


if __name__ == "__main__":
    common.main(draw, __doc__)
