"""What all plots share: looks of lines, ticks, the legend."""

import pytest
from report import pictures  # noqa: F401  (puts the folder of the plots on the path)
import common


@pytest.fixture(autouse=True)
def closed():
    yield
    common.plt.close("all")


def test_updates_have_whole_ticks():
    _, (axis,) = common.figure(1)
    axis.plot([20, 40], [0.5, 0.6])
    common.updates_axis(axis)
    assert all(float(tick).is_integer() for tick in axis.get_xticks())


@pytest.mark.parametrize(
    "low, high, ticks",
    [
        (0.94, 3.9, [1, 1.5, 2, 3]),
        (20, 650, [20, 50, 100, 200, 500]),
        (0.03, 3000, [0.1, 1, 10, 100, 1000]),
        (0.97, 1.12, [0.95, 1.0, 1.05, 1.1, 1.15]),
    ],
)
def test_a_log_axis_has_plain_ticks_over_all_of_its_range(low, high, ticks):
    assert list(common.PlainTicks().tick_values(low, high)) == pytest.approx(ticks)


@pytest.mark.parametrize("panels, above", [(1, False), (3, True)])
def test_one_legend_has_what_any_panel_shows_and_stands_above_several(panels, above):
    made, axes = common.figure(panels)
    axes[0].plot([1], [1], label="ours")
    axes[-1].plot([1], [1], label="published")
    common.legend(made, axes)
    (legend,) = made.legends
    assert [text.get_text() for text in legend.get_texts()] == ["ours", "published"]
    made.canvas.draw()
    assert (legend.get_window_extent().y0 > axes[0].get_window_extent().y1) == above


def test_no_two_lines_look_alike():
    names = [f"model {i}" for i in range(14)]
    looks = common.styles(names, names[:2])
    assert len({(look["color"], look["marker"], str(look["linestyle"])) for look in looks.values()}) == 14
    assert {looks[name]["color"] for name in names[:2]} == {common.BLACK}
    for name, look in looks.items():  # without the colour, as on a grey print
        alike = [other for other in looks if all(looks[other][key] == look[key] for key in ("marker", "linestyle"))]
        assert len([other for other in alike if (other in names[:2]) == (name in names[:2])]) == 1
