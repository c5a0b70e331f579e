"""Folders and patterns of pictures, raw frames, and frames that are there already."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from bodypix.errors import ImageError, InvalidArgumentError, MediaError, OutputError
from bodypix.media import Frame, open_sink, open_source
from bodypix.media.sinks.raw import RawSink
from bodypix.media.sources.raw import RawSource
from helpers.clips import frame_picture

SIZE = (12, 8)


def save(path: Path, number: int = 0, size: tuple[int, int] = SIZE) -> None:
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), frame_picture(number, size)[..., ::-1])


def numbered(count: int, size: tuple[int, int] = SIZE) -> list[Frame]:
    return [Frame(frame_picture(i, size), i, Fraction(i, 10)) for i in range(count)]


@pytest.mark.parametrize("what", ["", "shot%d.png", "shot*.png"])
def test_pictures_come_in_the_order_of_their_numbers(what: str, tmp_path: Path) -> None:
    for number in (10, 9, 2, 30):  # as text, "10" is before "2"
        save(tmp_path / f"shot{number}.png", number)
    save(tmp_path / ".hidden.png")
    (tmp_path / "notes.txt").write_text("no picture")
    with open_source(tmp_path / what, rate=12.5) as source:
        frames = list(source)
        assert (source.count, source.size, source.rate) == (4, SIZE, Fraction(25, 2))
    for frame, number in zip(frames, (2, 9, 10, 30), strict=True):
        np.testing.assert_array_equal(frame.image, frame_picture(number, SIZE))
    assert [frame.time for frame in frames] == [Fraction(2 * i, 25) for i in range(4)]


def test_a_file_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    save(tmp_path / "cat[1]%d.png", 3)
    with open_source(tmp_path / "cat[1]%d.png") as source:
        assert len(list(source)) == 1


@pytest.mark.parametrize("what", ["", "shot%d.png", "*.png", "nowhere/%d.png"])
def test_no_pictures(what: str, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no pictures at"):
        open_source(str(tmp_path) + "/" + what)


def test_pictures_of_another_size_and_no_pictures_are_named(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    save(tmp_path / "b.png", size=(4, 4))
    with open_source(tmp_path) as source, pytest.raises(MediaError, match=r"'b.png' is 4x4"):
        list(source)
    (tmp_path / "b.png").write_bytes(b"nothing")
    with open_source(tmp_path) as source, pytest.raises(ImageError, match=r"b.png"):
        list(source)


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("out", ["000000.png", "000001.png", "000002.png"]),
        ("out/f-%02d.png", ["f-00.png", "f-01.png", "f-02.png"]),
        ("out/%d.jpg", ["0.jpg", "1.jpg", "2.jpg"]),
    ],
)
def test_pictures_are_written_by_number(where: str, names: list[str], tmp_path: Path) -> None:
    with open_sink(tmp_path / where, size=SIZE) as sink:
        for frame in numbered(3):
            sink.write(frame)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    with open_source(tmp_path / "out") as source:
        for frame in source:
            difference = np.abs(frame.image.astype(int) - frame_picture(frame.index, SIZE))
            assert difference.mean() < (30 if "jpg" in where else 1e-9)


def test_a_longer_film_of_before_leaves_no_end(tmp_path: Path) -> None:
    for count in (5, 2):
        save(tmp_path / "out" / "000007.png")  # after a gap: nobody's
        with open_sink(tmp_path / "out", size=SIZE) as sink:
            for frame in numbered(count):
                sink.write(frame)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["000000.png", "000001.png", "000007.png"]


def test_pictures_of_another_size_and_all_without_a_frame_are_left_alone(tmp_path: Path) -> None:
    save(tmp_path / "000000.png")
    open_sink(tmp_path, size=SIZE).close()
    assert (tmp_path / "000000.png").exists()
    save(tmp_path / "000001.png", size=(4, 4))
    with open_sink(tmp_path, size=SIZE) as sink:
        sink.write(numbered(1)[0])
    assert (tmp_path / "000001.png").exists()


def test_png_keeps_alpha(tmp_path: Path) -> None:
    image = np.dstack([frame_picture(0, SIZE), np.arange(96, dtype=np.uint8).reshape(8, 12)])
    with open_sink(tmp_path / "out", size=SIZE, alpha=True) as sink:
        sink.write(Frame(image, 0, Fraction(0)))
    written = cv2.imread(str(tmp_path / "out" / "000000.png"), cv2.IMREAD_UNCHANGED)
    assert written is not None
    np.testing.assert_array_equal(written[..., [2, 1, 0, 3]], image)
    with pytest.raises(
        InvalidArgumentError, match=r"transparent pictures.*\.png files, not '.jpg'"
    ):
        open_sink(tmp_path / "%d.jpg", size=SIZE, alpha=True)


@pytest.mark.parametrize("keep_partial", [False, True])
def test_an_error_removes_the_pictures_of_this_run(keep_partial: bool, tmp_path: Path) -> None:
    save(tmp_path / "old" / "before.png")
    for folder in ("new", "old"):
        with pytest.raises(ZeroDivisionError):
            write_two_and_fail(tmp_path / folder, keep_partial=keep_partial)
    assert (tmp_path / "new").exists() == keep_partial
    assert len(list((tmp_path / "old").iterdir())) == (3 if keep_partial else 1)


def write_two_and_fail(folder: Path, *, keep_partial: bool) -> None:
    with open_sink(folder, size=SIZE, keep_partial=keep_partial) as sink:
        for frame in numbered(2):
            sink.write(frame)
        raise ZeroDivisionError


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot make the folder"):
        open_sink(tmp_path / "file" / "%d.png", size=SIZE)


class Trickle(io.RawIOBase):
    """A pipe that gives and takes a few bytes at a time."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = content

    def read(self, size: int = -1) -> bytes:
        piece, self.content = self.content[: min(7, size)], self.content[min(7, size) :]
        return piece

    def write(self, data: object) -> int:
        piece = bytes(memoryview(data))[:7]  # type: ignore[call-overload]
        self.content += piece
        return len(piece)


def test_raw_frames_go_through_a_pipe() -> None:
    pipe = Trickle()
    with RawSink(pipe, size=SIZE) as sink:
        for frame in numbered(3):
            sink.write(frame)
    assert len(pipe.content) == 3 * 12 * 8 * 3
    with RawSource(Trickle(pipe.content), size=SIZE, rate=Fraction(10)) as source:
        frames = list(source)
        assert source.problem is None
    assert [frame.time for frame in frames] == [0, Fraction(1, 10), Fraction(2, 10)]
    for frame in frames:
        np.testing.assert_array_equal(frame.image, frame_picture(frame.index, SIZE))


def test_a_pipe_that_ends_within_a_frame() -> None:
    data = frame_picture(0, SIZE).tobytes()
    source = RawSource(Trickle(data + data[:100]), size=SIZE)
    assert len(list(source)) == 1
    assert source.problem is not None
    assert "ended within frame 1 (100 of 288 bytes); is 12x8 its size" in source.problem


def test_a_reader_that_has_ended() -> None:
    class Broken(Trickle):
        def write(self, data: object) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(OutputError, match=r"cannot write to stdout.*Broken pipe"):
        RawSink(Broken(), size=SIZE).write(numbered(1)[0])


def test_standard_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(frame_picture(0, SIZE).tobytes()))
    stdout = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr("sys.stdin", stdin)
    monkeypatch.setattr("sys.stdout", stdout)
    with (
        open_source("-", size=SIZE) as source,
        open_sink("-", like=source, quality=50, keep_partial=True) as sink,
    ):
        for frame in source:
            sink.write(frame)
    assert stdout.buffer.getvalue() == frame_picture(0, SIZE).tobytes()  # type: ignore[attr-defined]
    with pytest.raises(InvalidArgumentError, match="raw frames on stdin need their size"):
        open_source("-")


def test_arrays_come_only_when_asked_for() -> None:
    asked = []

    def make() -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
        for number in range(4):
            asked.append(number)
            yield frame_picture(number, SIZE)

    with open_source(make(), rate=29.97) as source:
        assert (source.size, source.count, asked) == (SIZE, None, [0])
        frames = iter(source)
        next(frames)
        assert next(frames).time == Fraction(1001, 30_000)
        assert asked == [0, 1]


def test_frames_keep_their_times() -> None:
    given = [Frame(frame_picture(i, SIZE), i, Fraction(i * i, 7)) for i in range(3)]
    with open_source(given) as source:
        assert source.count == 3
        assert [frame.time for frame in source] == [frame.time for frame in given]


def test_arrays_of_another_size_and_none_at_all() -> None:
    images = [frame_picture(0, SIZE), frame_picture(0, (4, 4))]
    with pytest.raises(MediaError, match="picture 1 is 4x4"):
        list(open_source(images))
    with pytest.raises(MediaError, match="at least one picture"):
        open_source([])


def test_an_open_source_is_taken_as_it_is() -> None:
    source = open_source([frame_picture(0, SIZE)])
    assert open_source(source) is source
    with pytest.raises(InvalidArgumentError, match=r"expected a path, a camera.*got float"):
        open_source(0.5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rate", "exact"),
    [
        (29.97, Fraction(30_000, 1001)),
        (23.976, Fraction(24_000, 1001)),
        (59.94, Fraction(60_000, 1001)),
        (25, Fraction(25)),
        (30.0, Fraction(30)),
        (12.5, Fraction(25, 2)),
        (Fraction(7, 3), Fraction(7, 3)),
    ],
)
def test_rates_are_exact(rate: float, exact: Fraction) -> None:
    assert open_source([frame_picture(0, SIZE)], rate=rate).rate == exact


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_impossible_rates(rate: float) -> None:
    with pytest.raises(InvalidArgumentError, match="rate: expected"):
        open_source([frame_picture(0, SIZE)], rate=rate)


def test_only_the_first_number_of_a_pattern_counts(tmp_path: Path) -> None:
    with open_sink(tmp_path / "%d-100%-%d.png", size=SIZE) as sink:
        for frame in numbered(2):
            sink.write(frame)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0-100%-%d.png", "1-100%-%d.png"]
