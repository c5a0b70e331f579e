"""The log of a run: ``log.csv``, a line of mean losses every so many steps."""

from __future__ import annotations

import csv
from pathlib import Path

from bodypix.files import write_whole

ABOUT = ("step", "seconds", "size", "rate")  # columns before those of the losses

Row = dict[str, str]


class RunLog:
    """Appends to ``path``; a loss that appears later gets a column of its own.

    ``step`` is where the run stands: lines of later steps, which a run that was killed did not
    save, are dropped.
    """

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        rows = read_rows(path) if path.exists() else []
        self.columns = list(rows[0]) if rows else list(ABOUT)
        if rows:
            self._rewrite([row for row in rows if int(row["step"]) <= step])

    def write(
        self, step: int, seconds: float, size: int, rate: float, terms: dict[str, float]
    ) -> None:
        """One line; ``terms`` are losses by name."""
        if new := [name for name in terms if name not in self.columns]:
            self.columns += new
            self._rewrite(read_rows(self.path) if self.path.exists() else [])
        losses = {name: f"{value:.4f}" for name, value in terms.items()}
        about = {"step": step, "seconds": round(seconds), "size": size, "rate": f"{rate:.2e}"}
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, self.columns).writerow(about | losses)

    def _rewrite(self, rows: list[Row]) -> None:
        lines = [self.columns, *([row.get(name, "") for name in self.columns] for row in rows)]
        text = "".join(",".join(line) + "\r\n" for line in lines)
        write_whole(self.path, lambda file: file.write(text.encode()))


def read_rows(path: Path) -> list[Row]:
    """The lines of a log that have all columns and no more; one that was cut short is left out.

    Raises ValueError where there is no log or it is something else.
    """
    if not path.is_file():
        raise ValueError(f"{path}: expected the log of a training run, found no file")
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ())[: len(ABOUT)] != ABOUT:
            raise ValueError(f"{path}: expected a log with the columns {', '.join(ABOUT)}, ...")
        return [row for row in reader if None not in (*row, *row.values())]
