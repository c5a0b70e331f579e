"""A folder of photos and a folder of masks become samples; what does not fit is named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from bodypix_train.datasets.lazy import Budget
from bodypix_train.datasets.masks import read_mask, read_mask_folder
from bodypix_train.recipe import Source, read_source

ROOM = Budget(10**8)
TRUE = np.zeros((40, 30), np.uint8)
TRUE[10:30, 5:20] = 255


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    image = np.zeros((40, 30, 3), np.uint8)
    image[..., 2] = TRUE  # red, as OpenCV orders colours
    for name in ("a.png", "b.jpg", "c.png"):
        write(tmp_path / "images" / name, image)
    for name in ("a", "b", "c"):
        write(tmp_path / "masks" / f"{name}.png", TRUE)
    return tmp_path


def read(folder: Path, **options: object):
    return read_mask_folder(folder / "images", folder / "masks", ROOM, **options)  # type: ignore[arg-type]


def test_samples(folder: Path) -> None:
    samples = list(read(folder))
    assert [sample.name for sample in samples] == ["a.png", "b.jpg", "c.png"]
    for sample in samples:
        assert np.array_equal(sample.person, TRUE)
        assert sample.trust.min() == 255
        assert sample.parts is sample.instances is sample.keypoints is None
        assert sample.exact
    assert tuple(samples[0].image[20, 10]) == (255, 0, 0)
    assert not read(folder, cut_out=False).exact


@pytest.mark.parametrize(
    "stored",
    [
        TRUE,
        TRUE // 255,
        TRUE.astype(np.uint16) * 257,
        TRUE.astype(np.uint16),
        np.dstack([TRUE] * 3),
        np.dstack([TRUE * 0, TRUE * 0, TRUE * 0, TRUE]),
        np.dstack([TRUE, TRUE, TRUE, np.full_like(TRUE, 255)]),
    ],
    ids=["0/255", "0/1", "16 bits", "255 in 16 bits", "three channels", "alpha", "no alpha"],
)
def test_kinds_of_masks(tmp_path: Path, stored: np.ndarray) -> None:
    write(tmp_path / "mask.png", stored)
    assert np.array_equal(read_mask(tmp_path / "mask.png"), TRUE)


def test_soft_edges_stay(tmp_path: Path) -> None:
    write(tmp_path / "mask.png", np.tile(np.arange(0, 256, 5, dtype=np.uint8), (4, 1)))
    assert np.array_equal(read_mask(tmp_path / "mask.png")[0], np.arange(0, 256, 5))


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (TRUE // 255 * np.uint8(3), "0 and 255, or 0 and 1, got levels up to 3"),
        (np.dstack([TRUE, TRUE, 255 - TRUE]), "got colours"),
    ],
)
def test_other_masks_are_refused(tmp_path: Path, stored: np.ndarray, message: str) -> None:
    write(tmp_path / "mask.png", stored)
    with pytest.raises(ValueError, match=message):
        read_mask(tmp_path / "mask.png")


def test_bad_files_are_named_and_left_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(folder / "masks" / "b.png", TRUE[:-1])
    (folder / "images" / "c.png").write_bytes((folder / "images" / "c.png").read_bytes()[:60])
    write(folder / "images" / "d.png", TRUE)
    write(folder / "masks" / "e.png", TRUE)
    for name in ("f.jpg", "f.png", "g.png"):
        write(folder / "images" / name, TRUE)
    for name in ("f.png", "g.png", "g.bmp"):
        write(folder / "masks" / name, TRUE)
    (folder / "masks" / "h.png").write_bytes(b"no mask")
    write(folder / "images" / "h.png", TRUE)
    assert [sample.name for sample in read(folder)] == ["a.png"]
    for message in (
        "pictures without mask, left out (1): d",
        "masks without picture, left out (1): e",
        "names of several pictures, left out (1): f",
        "names of several masks, left out (1): g",
        "b.jpg: expected 30x39 pixels as its labels have, got 30x40, left out",
        "c.png: unreadable picture, left out",
        "h.png: unreadable mask, left out",
    ):
        assert message in caplog.text


def test_folders_that_do_not_belong_together(folder: Path) -> None:
    write(folder / "other" / "z.png", TRUE)
    with pytest.raises(ValueError, match="expected masks named as the pictures of"):
        read_mask_folder(folder / "images", folder / "other", ROOM)


def test_large_photos_are_made_smaller(folder: Path) -> None:
    write(folder / "images" / "a.png", np.zeros((300, 3000, 3), np.uint8))
    wide = np.zeros((300, 3000), np.uint8)
    wide[:, 1500:] = 255
    write(folder / "masks" / "a.png", wide)
    sample = read(folder)[0]
    assert sample.image.shape == (128, 1280, 3)
    assert np.array_equal(np.unique(sample.person[:, :640]), [0])
    assert np.array_equal(np.unique(sample.person[:, 640:]), [255])


def test_parts_are_known_where_nobody_is_or_where_teachers_answered(folder: Path) -> None:
    write(folder / "masks" / "b.png", TRUE * 0)
    parts = np.zeros((6, 4, 24), np.uint8)
    parts[1:4, 1:3, 12] = 200
    answers = folder / "labels" / "images"
    answers.mkdir(parents=True)
    np.savez(answers / "a.npz", person=TRUE, parts=parts)
    source = Source("masks", "images", 1.0, masks="masks", parts="teachers")
    assert source.asks_teachers
    a, b, c = read_source(source, folder, folder / "labels", ROOM)
    assert np.array_equal(a.parts, parts)
    assert b.parts is not None
    assert not b.parts.any()
    assert c.parts is None
    plain = read_source(Source("masks", "images", 1.0, masks="masks"), folder, folder, ROOM)
    assert plain[0].parts is None
