"""Pictures of how losses fell: a panel for each loss, a line for each run."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bodypix.files import write_whole

from .runlog import ABOUT, Row, read_rows

COLUMNS = 4
PANEL = (3.1, 2.2)  # inches
SMOOTH = 0.04  # of a curve's length: the window of its running median
COLORS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8a8a8a",
)  # fmt: skip  # Okabe and Ito's, which most colour-blind people tell apart


def draw_curves(logs: dict[str, Path], out: Path) -> None:
    """Write a PNG of the logs (name -> ``log.csv``).

    Raises ValueError for a file that is no log, or when all of them are empty.
    """
    runs = {name: read_rows(path) for name, path in logs.items()}
    names = list(dict.fromkeys(key for rows in runs.values() for row in rows[:1] for key in row))
    terms = [name for name in names if name not in ABOUT]
    if not terms:
        raise ValueError(f"{', '.join(map(str, logs.values()))}: no line of losses yet")
    panels = [*terms, "rate"]
    height = math.ceil(len(panels) / COLUMNS)
    figure = Figure((COLUMNS * PANEL[0], height * PANEL[1] + 0.4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = [figure.add_subplot(height, COLUMNS, i + 1) for i in range(len(panels))]
    for panel, name in zip(axes, panels, strict=True):
        _draw(panel, list(runs.values()), name)
    lines = [axes[-1].plot([], [], color=_color(i))[0] for i in range(len(runs))]
    figure.legend(lines, list(runs), loc="outside upper left", ncols=len(runs), fontsize=9)
    figure.supxlabel("step", fontsize=9)
    write_whole(out, lambda file: figure.savefig(file, format="png"))


def _draw(panel: Axes, runs: list[list[Row]], name: str) -> None:
    panel.set_title("learning rate" if name == "rate" else name, fontsize=9)
    panel.grid(alpha=0.25)
    smooth: list[float] = []
    for i, rows in enumerate(runs):
        points = [(int(row["step"]), float(row[name])) for row in rows if row.get(name)]
        steps, values = [step for step, _ in points], [value for _, value in points]
        line = values if name == "rate" else running_median(values)
        smooth += line
        panel.plot(steps, values, color=_color(i), alpha=0.25, linewidth=0.7)
        panel.plot(steps, line, color=_color(i), linewidth=1.3)
    # The smooth lines set the range: one wild value would flatten all the others.
    low, high = min(smooth, default=0), max(smooth, default=0)
    if low > 0 and name != "rate":
        panel.set_yscale("log")
        panel.set_ylim(low / 1.1, high * 1.1)
        panel.yaxis.set_major_formatter("{x:.3g}")
        if high < 10 * low:
            panel.yaxis.set_minor_formatter("{x:.3g}")
    panel.tick_params(labelsize=7, which="both")


def _color(run: int) -> str:
    return COLORS[run % len(COLORS)]


def running_median(values: list[float]) -> list[float]:
    """Median of each value and its neighbours; the window is cut at both ends."""
    reach = max(1, round(len(values) * SMOOTH / 2))
    return [
        statistics.median(values[max(0, i - reach) : i + reach + 1]) for i in range(len(values))
    ]
