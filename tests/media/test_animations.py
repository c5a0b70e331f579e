"""GIF and WebP: colours, transparency, times."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bodypix.errors import MediaError
from bodypix.media import Frame, open_sink, open_source
from helpers.clips import frame_picture

SIZE = (64, 48)
TIMES = [Fraction(hundredths, 100) for hundredths in (0, 4, 10, 30, 33, 50)]


def opaque_picture(number: int) -> NDArray[np.uint8]:
    """Unlike the one before, since WebP makes one frame of two that are alike."""
    image = frame_picture(0, SIZE)
    image[-8:, 40:] = 40 + 100 * (number % 2)
    return image


def transparent_picture(number: int) -> NDArray[np.uint8]:
    """The left half is clear, the right half solid."""
    alpha = np.zeros((SIZE[1], SIZE[0], 1), np.uint8)
    alpha[:, SIZE[0] // 2 :] = 255
    return np.concatenate([opaque_picture(number), alpha], axis=2)


def write(path: Path, *, alpha: bool = False, times: list[Fraction] = TIMES) -> None:
    with open_sink(path, size=SIZE, rate=25, alpha=alpha, quality=95) as sink:
        for index, time in enumerate(times):
            image = transparent_picture(index) if alpha else opaque_picture(index)
            duration = Fraction(1, 2) if index == len(times) - 1 else None
            sink.write(Frame(image, index, time, duration))


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation_comes_back_as_it_was(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    write(path)
    with open_source(path) as source:
        frames = list(source)
        assert source.size == SIZE
    assert [frame.time for frame in frames] == TIMES
    assert frames[2].duration == Fraction(1, 5)
    for frame in frames:
        difference = np.abs(frame.image.astype(int) - opaque_picture(frame.index))
        assert difference.mean() < 4


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_the_last_frame_is_shown_as_long_as_it_says(suffix: str, tmp_path: Path) -> None:
    write(tmp_path / f"out{suffix}")
    with open_source(tmp_path / f"out{suffix}") as source:
        assert list(source)[-1].duration == Fraction(1, 2)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_transparency_is_kept_and_read_over_black(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    write(path, alpha=True)
    if suffix == ".gif":
        with av.open(str(path)) as container:
            images = [frame.to_ndarray(format="rgba") for frame in container.decode(video=0)]
    else:
        _, animation = cv2.imdecodeanimation(np.fromfile(path, np.uint8))
        images = [np.asarray(frame) for frame in animation.frames]
    assert len(images) == len(TIMES)
    for image in images:
        np.testing.assert_array_equal(image[2:-2, 2:30, 3], 0)
        np.testing.assert_array_equal(image[2:-2, 34:-2, 3], 255)
    with open_source(path) as source:
        for frame in source:
            assert frame.image[2:-2, 2:30].max() <= 2
            drawn = opaque_picture(frame.index)[4:20, 36:60].mean((0, 1))
            np.testing.assert_allclose(frame.image[4:20, 36:60].mean((0, 1)), drawn, atol=12)


def test_gif_leaves_out_frames_that_browsers_would_show_slowly(tmp_path: Path) -> None:
    write(tmp_path / "out.gif", times=[Fraction(index, 100) for index in range(9)])
    with open_source(tmp_path / "out.gif") as source:
        assert [frame.time * 100 for frame in source] == [0, 2, 4, 6, 8]


def test_long_animations_are_read_in_runs(tmp_path: Path) -> None:
    times = [Fraction(index, 25) for index in range(70)]  # more than one run of 64
    write(tmp_path / "out.webp", times=times)
    with open_source(tmp_path / "out.webp") as source:
        assert [frame.time for frame in source] == times


def test_a_still_picture_is_one_frame(tmp_path: Path) -> None:
    picture = frame_picture(0, SIZE)
    cv2.imwrite(str(tmp_path / "one.png"), picture[..., ::-1])
    with open_source(tmp_path / "one.png") as source:
        (frame,) = source
    np.testing.assert_array_equal(frame.image, picture)


def test_an_animation_that_was_cut_off_says_so(tmp_path: Path) -> None:
    pil = pytest.importorskip("PIL.Image")
    path = tmp_path / "in.png"
    first, *more = (pil.fromarray(frame_picture(number, SIZE)) for number in range(6))
    first.save(path, save_all=True, append_images=more, duration=40)
    with open_source(path) as whole:
        assert len(list(whole)) == 6
        assert whole.problem is None
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with open_source(path) as source:
        assert 0 < len(list(source)) < 6
        assert source.problem == "the file ends too early"


@pytest.mark.parametrize("suffix", [".webp", ".png"])
@pytest.mark.parametrize("content", [b"", b"RIFF....WEBP", b"no picture at all"])
def test_what_is_no_animation_is_refused(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(content)
    with pytest.raises(MediaError, match="no WebP, PNG or AVIF"):
        open_source(path)


def test_an_older_opencv_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "out.webp")
    monkeypatch.delattr(cv2, "imdecodeanimation")
    with pytest.raises(MediaError, match=r"OpenCV 4.11 or newer.*pip install -U"):
        open_source(tmp_path / "out.webp")
