"""A table of figures for several models, as Markdown for documents and as HTML for the report."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Score = TypeVar("Score")


@dataclass(frozen=True)
class Row:
    """``counts`` are the same for all models; ``cells`` are each model's own, by its name."""

    name: str
    counts: tuple[str, ...]
    cells: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Table:
    """A row for each set or group of pictures, the same ``columns`` for every model."""

    title: str
    counts: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @classmethod
    def of(
        cls,
        title: str,
        scores: dict[str, dict[str, Score]],
        counts: dict[str, Callable[[Score], str]],
        columns: dict[str, Callable[[Score], str]],
    ) -> Table:
        """Scores by model and row; ``counts`` and ``columns`` say how a score is written."""
        rows = tuple(
            Row(
                name,
                tuple(write(score) for write in counts.values()),
                {
                    model: tuple(write(own[name]) for write in columns.values())
                    for model, own in scores.items()
                },
            )
            for name, score in next(iter(scores.values())).items()
        )
        return cls(title, tuple(counts), tuple(columns), rows)

    def markdown(self) -> str:
        """A line a row, a group of columns a model."""
        header = [self.title, *self.counts]
        for model in self.rows[0].cells if self.rows else ():
            header += [f"{model}: {self.columns[0]}", *self.columns[1:]]
        lines = [_line(header), "| --- " * len(header) + "|"]
        for row in self.rows:
            own = [cell for cells in row.cells.values() for cell in cells]
            lines.append(_line([row.name, *row.counts, *own]))
        return "\n".join(lines)

    def html(self) -> str:
        """A line for each row and model."""
        lines = [_cells("th", ("", "model", *self.counts, *self.columns))]
        for row in self.rows:
            for model, own in row.cells.items():
                lines.append(_cells("td", (row.name, model, *row.counts, *own)))
        return f"<h2>{html.escape(self.title.capitalize())}</h2><table>{''.join(lines)}</table>"


def number(value: float | None) -> str:
    """Three digits; a dash where nothing could be measured."""
    return "–" if value is None else f"{value:.3f}"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.2%}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cells(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}" for cell in cells)
