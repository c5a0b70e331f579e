"""The log of a run, and pictures of one or several."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from bodypix_train.__main__ import app
from bodypix_train.curves import draw_curves, running_median
from bodypix_train.runlog import RunLog, read_rows


def write_log(path: Path, steps: int = 40, fall: float = 1.0, step: int = 0) -> Path:
    log = RunLog(path, step)
    for i in range(steps):
        log.write(i + 1, 2.0 * i, 193, 1e-3, {"person": 1 / (1 + fall * i), "parts": 0.5})
    return path


def test_a_loss_that_comes_later_gets_its_own_column(tmp_path: Path) -> None:
    log = RunLog(tmp_path / "log.csv", 0)
    log.write(50, 9.6, 193, 1e-3, {"person": 0.5, "parts": 0.25})
    log.write(100, 19.0, 257, 2e-3, {"poses": 0.125, "person": 0.4})
    log.write(150, 30.0, 257, 2e-3, {"parts": 0.2})
    about = [
        {"step": "50", "seconds": "10", "size": "193", "rate": "1.00e-03"},
        {"step": "100", "seconds": "19", "size": "257", "rate": "2.00e-03"},
        {"step": "150", "seconds": "30", "size": "257", "rate": "2.00e-03"},
    ]
    losses = [
        {"person": "0.5000", "parts": "0.2500", "poses": ""},
        {"person": "0.4000", "parts": "", "poses": "0.1250"},
        {"person": "", "parts": "0.2000", "poses": ""},
    ]
    assert read_rows(log.path) == [a | b for a, b in zip(about, losses, strict=True)]


def test_a_log_goes_on_from_the_step_that_was_saved(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", 5)
    RunLog(path, 3).write(4, 7.0, 193, 1e-3, {"person": 9.0, "parts": 9.0})
    rows = read_rows(path)
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    assert rows[-1]["person"] == "9.0000"


def test_a_line_cut_short_is_left_out(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", 3)
    path.write_text(path.read_text()[:-12])
    assert [row["step"] for row in read_rows(path)] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "message"), [("a,b\n1,2\n", "expected a log with the columns step"), (None, "no file")]
)
def test_what_is_no_log(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "log.csv"
    if text:
        path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_rows(path)


def test_running_median_passes_over_a_wild_value() -> None:
    values = [1.0] * 20 + [100.0] + [1.0] * 20
    assert running_median(values) == [1.0] * 41
    assert running_median([2.0]) == [2.0]


def test_a_line_for_each_run(tmp_path: Path) -> None:
    """Colours of the lines are in the picture; the same run twice would have one."""
    one, two = (write_log(tmp_path / f"{i}.csv", fall=i) for i in (1, 3))
    draw_curves({"slow": one, "quick": two}, tmp_path / "both.png")
    draw_curves({"slow": one}, tmp_path / "one.png")
    pixels = {name: cv2.imread(str(tmp_path / f"{name}.png")) for name in ("both", "one")}
    blue, orange = (0xB2, 0x72, 0x00), (0x00, 0x5E, 0xD5)  # BGR
    found = {
        name: [bool((image == colour).all(2).any()) for colour in (blue, orange)]
        for name, image in pixels.items()
    }
    assert found == {"both": [True, True], "one": [True, False]}
    assert not list(tmp_path.glob("*.part"))


def test_an_empty_log_has_no_curves(tmp_path: Path) -> None:
    path = write_log(tmp_path / "log.csv", 2)
    path.write_text(path.read_text().splitlines()[0] + "\n")
    with pytest.raises(ValueError, match="no line of losses yet"):
        draw_curves({"run": path}, tmp_path / "curves.png")


def test_command_takes_folders_and_logs(tmp_path: Path) -> None:
    for name in ("a/run", "b/run"):
        (tmp_path / name).mkdir(parents=True)
        write_log(tmp_path / name / "log.csv", 5)
    other = write_log(tmp_path / "log-default.csv", 5)
    runs = [str(path) for path in (tmp_path / "a" / "run", tmp_path / "b" / "run", other)]
    out = tmp_path / "three.png"
    result = CliRunner().invoke(app, ["curves", *runs, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert cv2.imread(str(out)) is not None
