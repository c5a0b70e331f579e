"""Files that are no videos, or half of one, and sinks that cannot go on."""

from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bodypix.errors import InvalidArgumentError, MediaError, OutputError
from bodypix.media import Frame, open_sink, open_source
from helpers.clips import CONSTANT, contents, ffprobe_times, frame_picture, make_clip


def frames(count: int, size: tuple[int, int] = (64, 48), *, noise: bool = False) -> list[Frame]:
    random = np.random.default_rng(0)
    return [
        Frame(
            random.integers(0, 255, (size[1], size[0], 3), np.uint8)
            if noise
            else np.full((size[1], size[0], 3), 10 * index % 256, np.uint8),
            index,
            Fraction(index, 30),
        )
        for index in range(count)
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.mp4", b"this is no video\n" * 50),
        ("empty.mp4", b""),
        ("zeros.mkv", bytes(5000)),
    ],
)
def test_what_is_no_video_is_refused(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError, match=r"cannot open.*Expected a video"):
        open_source(tmp_path / name)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no such file"):
        open_source(tmp_path / "missing.mp4")


@pytest.mark.parametrize(
    ("name", "message"), [("none.mp4", "has no video track"), ("none.mkv", "cannot open")]
)
def test_a_video_without_frames_is_refused(name: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 48
        container.start_encoding()
    with pytest.raises(MediaError, match=message):
        open_source(path)


def test_audio_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "song.ogg"
    with av.open(str(path), "w") as container:
        tone = container.add_stream("libopus", rate=48_000, layout="mono")
        for start in range(0, 9600, 960):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), "s16", "mono")
            frame.sample_rate, frame.pts = 48_000, start
            container.mux(tone.encode(frame))
        container.mux(tone.encode(None))
    with pytest.raises(MediaError, match=r"no video track \(found: audio\)"):
        open_source(path)


@pytest.mark.parametrize("name", ["in.mkv", "in.mp4", "in.ts"])
@pytest.mark.parametrize("share", [0.35, 0.7])
def test_a_file_that_was_cut_off_ends_early_and_says_so(
    name: str, share: float, tmp_path: Path
) -> None:
    options = {"movflags": "faststart"} if name.endswith("mp4") else {}
    times = [Fraction(number, 25) for number in range(60)]
    path = make_clip(tmp_path / name, times, audio="aac", audio_seconds=2.4, options=options)
    data = path.read_bytes()
    path.write_bytes(data[: round(share * len(data))])
    seen = ffprobe_times(path)
    with open_source(path) as source, open_sink(tmp_path / "out.mp4", like=source) as sink:
        count = 0
        for frame in source:
            sink.write(frame)
            count += 1
    assert 5 < count < 60
    assert seen is None or abs(count - len(seen)) <= 1  # the last one may be half a picture
    if not name.endswith("ts"):  # which states no length
        assert source.problem is not None
    after = contents(tmp_path / "out.mp4")
    assert len(after.times) == count
    assert after.audio


@pytest.mark.parametrize("name", ["in.mp4", "in.gif"])
def test_even_a_short_file_that_was_cut_off_says_so(name: str, tmp_path: Path) -> None:
    times = [Fraction(number, 25) for number in range(8)]
    path = tmp_path / name
    if name == "in.mp4":
        make_clip(path, times, options={"movflags": "faststart"})
    else:
        with open_sink(path, size=(64, 48), rate=25) as sink:
            for number, time in enumerate(times):
                sink.write(Frame(frame_picture(number, (64, 48)), number, time))
    with open_source(path) as whole:
        assert len(list(whole)) == 8
        assert whole.problem is None
    data = path.read_bytes()
    path.write_bytes(data[: round(0.9 * len(data))])
    with open_source(path) as source:
        assert 0 < len(list(source)) <= 8
        assert source.problem is not None


def test_an_mp4_without_its_index_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "in.mp4")
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(MediaError, match="cut off before its end often lacks the index"):
        open_source(path)


def test_a_video_of_damaged_frames_only_is_refused(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "in.mkv", codec="mjpeg", pixel_format="yuvj420p")
    start = b"\xff\xd8\xff"
    pieces = path.read_bytes().split(start)
    path.write_bytes(bytes(3).join([pieces[0], *(bytes(len(piece)) for piece in pieces[1:])]))
    with pytest.raises(MediaError, match=r"no frame of .*can be decoded \(a part of it is damaged"):
        open_source(path)


def test_damaged_packets_are_left_out_and_told(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "in.mkv", CONSTANT, codec="mjpeg", pixel_format="yuvj420p")
    data = bytearray(path.read_bytes())
    start = b"\xff\xd8\xff"
    second = data.index(start, data.index(start) + 1)
    third = data.index(start, second + 1)
    data[second : third - 20] = bytes(third - 20 - second)
    path.write_bytes(data)
    with open_source(path) as source:
        times = [frame.time for frame in source]
    assert len(times) == len(CONSTANT) - 1
    assert CONSTANT[1] not in times
    assert source.problem is not None
    assert "damaged" in source.problem


def write_then_fail(target: Path, error: type[BaseException], **options: bool) -> None:
    """Write 21 frames; then the caller's own code fails."""
    with open_sink(target, size=(64, 48), rate=30, **options) as sink:
        for frame in frames(21):
            sink.write(frame)
        raise error


SUFFIXES = [".mp4", ".mkv", ".webm", ".mov", ".gif", ".webp"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_is_left_after_an_error_in_the_callers_loop(suffix: str, tmp_path: Path) -> None:
    target = tmp_path / f"out{suffix}"
    with pytest.raises(ZeroDivisionError):
        write_then_fail(target, ZeroDivisionError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_keep_partial_leaves_a_playable_file(suffix: str, tmp_path: Path) -> None:
    target = tmp_path / f"out{suffix}"
    with pytest.raises(KeyboardInterrupt):
        write_then_fail(target, KeyboardInterrupt, keep_partial=True)
    assert list(tmp_path.iterdir()) == [target]
    with open_source(target) as source:
        assert len(list(source)) == 21


def test_an_older_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    target.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError):
        write_then_fail(target, ZeroDivisionError)
    assert target.read_bytes() == b"before"
    with open_sink(target, size=(64, 48)) as sink:
        sink.write(frames(1)[0])
        assert target.read_bytes() == b"before"
    assert len(contents(target).times) == 1


def write_noise(target: Path, *, keep_partial: bool) -> None:
    """More than 60 kB in any format."""
    size = (160, 120)
    with open_sink(target, size=size, quality=100, keep_partial=keep_partial) as sink:
        for frame in frames(40, size, noise=True):
            sink.write(frame)


@pytest.mark.parametrize("keep_partial", [False, True])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_ends_with_an_error_and_no_file(
    suffix: str, keep_partial: bool, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource")  # not on Windows
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # To a program it looks as a full disk does: a write is refused from some byte on.
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
    try:
        with pytest.raises(OutputError, match=r"cannot write .*out.*room on its disk"):
            write_noise(tmp_path / f"out{suffix}", keep_partial=keep_partial)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_after_a_failure_close_says_that_the_file_was_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = open_sink(tmp_path / "out.mp4", size=(64, 48))

    def fail(_: Frame) -> None:
        raise OutputError(errno.ENOSPC, "full")

    monkeypatch.setattr(sink, "_put", fail)
    with pytest.raises(OutputError, match="full"):
        sink.write(frames(1)[0])
    with pytest.raises(InvalidArgumentError, match="broken"):
        sink.write(frames(1)[0])
    with pytest.raises(OutputError, match="removed"):
        sink.close()
    sink.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="folder must exist"):
        open_sink(tmp_path / "missing" / "out.mp4", size=(64, 48))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_frame_makes_no_file(suffix: str, tmp_path: Path) -> None:
    sink = open_sink(tmp_path / f"out{suffix}", size=(64, 48))
    with pytest.raises(OutputError, match="given no frame"):
        sink.close()
    assert list(tmp_path.iterdir()) == []


def test_frames_that_do_not_fit_are_refused_by_name(tmp_path: Path) -> None:
    with open_sink(tmp_path / "out.mp4", size=(64, 48)) as sink:
        good = frames(2)
        sink.write(good[1])
        with pytest.raises(InvalidArgumentError, match=r"frame.time: expected more than 0.033"):
            sink.write(good[0])
        with pytest.raises(
            InvalidArgumentError, match=r"expects \(48, 64, 3\) uint8.*\(64, 48, 3\)"
        ):
            sink.write(good[0].replaced(np.zeros((64, 48, 3), np.uint8)))
        with pytest.raises(InvalidArgumentError, match="float32"):
            sink.write(good[0].replaced(np.zeros((48, 64, 3), np.float32)))  # type: ignore[arg-type]
    assert len(contents(tmp_path / "out.mp4").times) == 1
    with pytest.raises(InvalidArgumentError, match="closed"):
        sink.write(good[1])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("out.mp4", {"alpha": True}, r"\.mp4 files hold no transparency; use one of \.webm"),
        ("out.avi", {}, r"no video is written as '\.avi'"),
        ("out", {"quality": 101}, r"quality: expected 1..100, got 101"),
        ("out.mp4", {"quality": 0}, r"quality: expected 1..100, got 0"),
        ("out.mp4", {"codec": "nonsense"}, r"codec: no encoder works.*no encoder 'nonsense'"),
        ("out.mp4", {"size": (0, 4)}, r"size: expected \(width, height\), .* got \(0, 4\)"),
        ("out.mp4", {"size": (64,)}, r"size: expected .* whole numbers from 1, got \(64,\)"),
        ("out.mp4", {"size": (64.5, 3)}, r"size: expected .* got \(64\.5, 3\)"),
        ("out.mp4", {"size": "64x64"}, r"size: expected .* got '64x64'"),
        ("out.mp4", {"rate": 0}, r"rate: expected a number of frames a second, got 0"),
        ("out.mp4", {"size": None}, r"size: expected the size of the frames, or like=source"),
    ],
)
def test_bad_arguments_leave_nothing(
    name: str, options: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        open_sink(tmp_path / name, **{"size": (64, 48), **options})  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
