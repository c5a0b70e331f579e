"""Which pictures a batch reads, and what the files it writes are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from bodypix.cli.inputs import PICTURE_SUFFIXES, collect
from bodypix.cli.kinds import ENDINGS


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(inputs: list[Path], out: Path, *, recursive: bool = False) -> list[tuple[str, str]]:
    """(name of the picture, target below `out`) of every job; no failures expected."""
    jobs, failures = collect(inputs, out, recursive=recursive, endings=ENDINGS)
    assert not failures
    return [(job.source.name, job.target.relative_to(out).as_posix()) for job in jobs]


def test_folder_is_read_in_order_of_names_and_only_pictures_count(tmp_path: Path) -> None:
    touch(tmp_path / "in", "b.JPG", "a.png", "notes.txt", "sub/c.png", "d", "._a.png")
    assert names([tmp_path / "in"], tmp_path / "out") == [("a.png", "a"), ("b.JPG", "b")]


def test_recursive_keeps_the_sub_folders(tmp_path: Path) -> None:
    touch(tmp_path / "in", "a.png", "x/a.png", "x/y/a.png")
    found = names([tmp_path / "in"], tmp_path / "out", recursive=True)
    assert [target for _, target in found] == ["a", "x/a", "x/y/a"]


@pytest.mark.parametrize(
    ("files", "targets"),
    [
        (["1/photo.jpg", "2/other.jpg"], ["photo", "other"]),
        (["1/photo.jpg", "1/photo.png"], ["photo.jpg", "photo.png"]),
        (
            ["1/photo.jpg", "2/photo.jpg", "3/photo.jpg"],
            ["photo.jpg", "photo.jpg-2", "photo.jpg-3"],
        ),
        (["1/photo.jpg", "2/PHOTO.png"], ["photo.jpg", "PHOTO.png"]),
        (["1/a.jpg.png", "1/a.jpg", "1/a.png"], ["a.jpg", "a.jpg-2", "a.png"]),
    ],
)
def test_clashing_names_stay_apart(tmp_path: Path, files: list[str], targets: list[str]) -> None:
    touch(tmp_path, *files)
    found = names([tmp_path / file for file in files], tmp_path / "out")
    assert [target for _, target in found] == targets


def test_a_picture_named_twice_is_read_once(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.png")
    picture = tmp_path / "in" / "a.png"
    assert len(names([picture, tmp_path / "in", picture], tmp_path / "out")) == 1


def test_a_file_counts_whatever_its_suffix(tmp_path: Path) -> None:
    touch(tmp_path, "photo.dat")
    assert names([tmp_path / "photo.dat"], tmp_path / "out") == [("photo.dat", "photo")]


def test_results_of_an_earlier_run_are_not_read_again(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", "a.mask.png", "a.person-1.cutout.png", "a.overlay.jpg")
    touch(tmp_path, "out/a.mask.png", "out/other.png")
    assert names([tmp_path], tmp_path) == [("a.png", "a")]  # written beside the pictures
    everything = names([tmp_path], tmp_path / "out", recursive=True)
    assert "other.png" not in [name for name, _ in everything]  # written below them


def test_a_folder_inside_the_one_to_write_to(tmp_path: Path) -> None:
    touch(tmp_path, "in/a.png")
    assert names([tmp_path / "in"], tmp_path) == [("a.png", "a")]


def test_what_cannot_be_read_is_a_failure_and_the_rest_goes_on(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", "sub/x/b.png")
    (tmp_path / "empty").mkdir()
    inputs = [tmp_path / "gone.png", tmp_path / "empty", tmp_path / "sub", tmp_path / "a.png"]
    jobs, failures = collect(inputs, tmp_path / "out", recursive=False, endings=ENDINGS)
    assert [job.source.name for job in jobs] == ["a.png"]
    assert [failure.source.name for failure in failures] == ["gone.png", "empty", "sub"]
    assert failures[0].reason == "no such file or folder"
    assert all(suffix in failures[1].reason for suffix in PICTURE_SUFFIXES)
    assert "--recursive" in failures[2].reason
