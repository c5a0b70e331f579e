"""What is read is never written over, whatever its name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bodypix.cli.targets import check_file, identity, refuse_film, refuse_report
from bodypix.errors import OutputError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three numbered pictures in `seq`, and a film; the current folder is the one above."""
    (tmp_path / "seq").mkdir()
    for number in range(3):
        (tmp_path / "seq" / f"{number:06}.png").touch()
    (tmp_path / "film.mp4").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("output", "read"),
    [
        ("film.mp4", ["film.mp4"]),
        ("seq/../film.mp4", ["film.mp4"]),
        ("gone.mp4", ["seq/../gone.mp4"]),
        ("film.mp4", ["seq", "film.mp4"]),
        ("seq", ["seq"]),
        ("seq", ["seq/*.png"]),
        ("seq", ["film.mp4", "seq/000002.png"]),
        ("seq/%06d.png", ["seq"]),
        ("seq/%06d.png", ["seq/*.png"]),
        ("seq/%06d.png", ["seq/%06d.png"]),
        ("seq/../seq/%06d.png", ["seq/%d.png"]),
    ],
)
def test_what_is_read_is_refused(folder: Path, output: str, read: list[str]) -> None:
    with pytest.raises(OutputError, match=r"--output: .* read; choose another"):
        refuse_film(output, *read)


@pytest.mark.parametrize(
    ("output", "read"),
    [
        ("-", ["-"]),
        ("out.mp4", ["film.mp4", "#00b140", None]),
        ("black", ["film.mp4", "black"]),  # a colour of that name
        ("other/film.mp4", ["film.mp4"]),
        ("seq/%03d.png", ["seq/*.png"]),
        ("seq/new-%06d.png", ["seq/*.png"]),
        ("seq/%06d.jpg", ["seq/*.png"]),
        ("out", ["seq"]),
        ("window:", ["camera:0"]),
        ("two-%d-%d.png", ["seq"]),
    ],
)
def test_other_names_are_free(folder: Path, output: str, read: list[str]) -> None:
    refuse_film(output, *read)


def test_a_link_is_the_file_it_leads_to(folder: Path) -> None:
    try:
        os.symlink("film.mp4", "link.mp4")
    except OSError:
        pytest.skip("no links here")
    assert identity("link.mp4") == identity(folder / "film.mp4") != identity("seq")
    with pytest.raises(OutputError):
        refuse_film("link.mp4", "film.mp4")


@pytest.mark.parametrize(
    ("report", "output", "message"),
    [
        ("film.mp4", "out.mp4", "is what is read"),
        ("seq/000001.png", "out.mp4", "is what is read"),
        ("model.onnx", "out.mp4", "is what is read"),
        ("seq/../out.mp4", "out.mp4", "is what --output writes"),
        ("frames/000007.png", "frames", "is what --output writes"),
    ],
)
def test_a_report_takes_no_place(folder: Path, report: str, output: str, message: str) -> None:
    (folder / "model.onnx").touch()
    with pytest.raises(OutputError, match=f"--report: .*{message}"):
        refuse_report(Path(report), output, "film.mp4", "seq/*.png", "model.onnx")
    refuse_report(folder / "frames" / "report.json", "frames", "film.mp4")


@pytest.mark.parametrize("path", ["gone/report.json", "seq", "x" * 300])
def test_a_file_that_cannot_be_written(folder: Path, path: str) -> None:
    with pytest.raises(OutputError, match="--report: cannot write"):
        check_file("--report", Path(path))
    check_file("--report", Path("report.json"))
    assert sorted(entry.name for entry in folder.iterdir()) == ["film.mp4", "seq"]
