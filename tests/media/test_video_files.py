"""Video files in and out: every frame, its time, its place and its sound."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from bodypix.errors import MediaError
from bodypix.media import open_sink, open_source
from bodypix.media.sources.video import VideoSource
from helpers.clips import (
    CONSTANT,
    NTSC,
    VARIABLE,
    contents,
    ffprobe_times,
    frame_picture,
    make_clip,
    set_matrix,
)

MILLISECOND = Fraction(1, 1000)
CLIPS: dict[str, dict[str, Any]] = {
    "constant.mp4": {"audio": "aac"},
    "ntsc.mp4": {"times": NTSC, "audio": "aac"},
    "variable.mp4": {"times": VARIABLE, "audio": "aac"},
    "variable.mkv": {"times": VARIABLE, "audio": "libopus", "time_base": MILLISECOND},
    "late.mkv": {"times": [time + Fraction(1, 2) for time in CONSTANT], "time_base": MILLISECOND},
    "odd.webm": {
        "size": (63, 47),
        "codec": "libvpx-vp9",
        "audio": "libopus",
        "time_base": MILLISECOND,
    },
    "silent.mp4": {},
    "long-audio.mp4": {"audio": "aac", "audio_seconds": 2.5},
    "old.avi": {"codec": "mpeg4", "audio": "libmp3lame", "time_base": Fraction(1, 25)},
    "pcm.mov": {"audio": "pcm_s16le"},
}


def copy(source: Path, target: Path, **options: Any) -> VideoSource:
    with open_source(source) as frames, open_sink(target, like=frames, **options) as sink:
        for frame in frames:
            sink.write(frame)
    assert isinstance(frames, VideoSource)
    return frames


def assert_close(got: Sequence[float], expected: Sequence[float], tolerance: float = 1e-6) -> None:
    assert len(got) == len(expected)
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", CLIPS)
def test_frames_and_times_of_a_source(name: str, tmp_path: Path) -> None:
    path = make_clip(tmp_path / name, **CLIPS[name])
    expected = contents(path)
    with open_source(path) as source:
        frames = list(source)
        assert source.size == expected.size
        assert source.problem is None
        assert not source.live
        if "variable" not in name:  # of those it is an estimate
            assert source.count == pytest.approx(len(frames), abs=1)
    assert_close([float(frame.time) for frame in frames], expected.times)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    width, height = source.size
    for frame in frames:
        assert frame.image.shape == (height, width, 3)
        drawn = frame_picture(frame.index, source.size).astype(int)
        assert np.abs(frame.image - drawn).mean() < 12


@pytest.mark.parametrize("name", CLIPS)
def test_mp4_keeps_frames_times_and_audio(name: str, tmp_path: Path) -> None:
    path = make_clip(tmp_path / name, **CLIPS[name])
    source = copy(path, tmp_path / "out.mp4")
    before, after = contents(path), contents(tmp_path / "out.mp4")
    assert_close(after.times, before.times)
    assert after.end == pytest.approx(before.end, abs=1e-3)
    assert source.finished
    if name == "pcm.mov":  # MP4 holds no PCM: it became AAC of the same length
        assert after.audio[-1][0] == pytest.approx(before.audio[-1][0], abs=0.05)
    else:
        assert after.audio == before.audio
    seen = ffprobe_times(tmp_path / "out.mp4")
    if seen is not None:
        assert_close(seen, before.times)


@pytest.mark.parametrize(
    ("suffix", "tolerance"), [(".mkv", 6e-4), (".webm", 6e-4), (".mov", 1e-6), (".m4v", 1e-6)]
)
@pytest.mark.parametrize("name", ["ntsc.mp4", "variable.mkv", "odd.webm"])
def test_other_containers_keep_frames_and_times(
    name: str, suffix: str, tolerance: float, tmp_path: Path
) -> None:
    path = make_clip(tmp_path / name, **(CLIPS[name] | {"audio": None}))
    copy(path, tmp_path / f"out{suffix}")
    assert_close(contents(tmp_path / f"out{suffix}").times, contents(path).times, tolerance)


@pytest.mark.parametrize(
    ("audio", "suffix", "copied"),
    [
        ("aac", ".mp4", True),
        ("aac", ".mov", True),
        ("aac", ".webm", False),
        ("libopus", ".webm", True),
        ("libopus", ".mov", False),
        ("pcm_s16le", ".mov", True),
    ],
)
def test_audio_is_copied_or_encoded_anew(
    audio: str, suffix: str, copied: bool, tmp_path: Path
) -> None:
    name = {"aac": "in.mp4", "libopus": "in.mkv", "pcm_s16le": "in.mov"}[audio]
    path = make_clip(tmp_path / name, audio=audio)
    copy(path, tmp_path / f"out{suffix}")
    before, after = contents(path), contents(tmp_path / f"out{suffix}")
    same = [digest for _, digest in before.audio] == [digest for _, digest in after.audio]
    assert same == copied
    np.testing.assert_allclose(loudness(tmp_path / f"out{suffix}"), loudness(path), rtol=0.05)


def loudness(path: Path) -> list[float]:
    """Root mean square of the decoded audio, and its length in seconds."""
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=48_000)
        pieces = [
            piece.to_ndarray()[0]
            for frame in container.decode(audio=0)
            for piece in resampler.resample(frame)
        ]
    samples = np.concatenate(pieces)
    return [float(np.sqrt(np.mean(samples**2))), len(samples) / 48_000]


def test_audio_can_be_left_out(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "in.mp4", audio="aac")
    copy(path, tmp_path / "out.mp4", audio=False)
    assert contents(tmp_path / "out.mp4").audio == []


def test_audio_ends_with_the_frames_where_the_source_was_not_read_to_its_end(
    tmp_path: Path,
) -> None:
    path = make_clip(tmp_path / "in.mp4", audio="aac", audio_seconds=2)
    with open_source(path) as source, open_sink(tmp_path / "out.mp4", like=source) as sink:
        for frame in source:
            sink.write(frame)
            if frame.index == 9:
                break
    after = contents(tmp_path / "out.mp4")
    assert len(after.times) == 10
    assert after.audio[-1][0] < 0.4 <= after.audio[-1][0] + 1024 / 48_000


def test_a_clock_that_was_running_counts_from_the_first_moment(tmp_path: Path) -> None:
    times = [time + 100 for time in CONSTANT]
    path = make_clip(tmp_path / "in.ts", times, options={"output_ts_offset": "5000"})
    copy(path, tmp_path / "out.mp4")
    assert contents(path).times[0] > 5000
    assert_close(contents(tmp_path / "out.mp4").times, [float(time) for time in CONSTANT])


def test_a_stream_without_times_gets_them_from_its_rate(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "in.h264")
    with open_source(path) as source:
        times = [float(frame.time) for frame in source]
    assert_close(times, [float(time) for time in CONSTANT])


@pytest.mark.parametrize(
    ("matrix", "corner"),
    [
        ((1, 0, 0, 1), (0, 0)),
        ((0, 1, -1, 0), (0, 1)),  # a quarter turn clockwise: top left goes to top right
        ((-1, 0, 0, -1), (1, 1)),
        ((0, -1, 1, 0), (1, 0)),
        ((-1, 0, 0, 1), (0, 1)),  # mirrored, as some front cameras
        ((0, 1, 1, 0), (0, 0)),
    ],
)
def test_phone_video_is_turned_upright(
    matrix: tuple[int, int, int, int], corner: tuple[int, int], tmp_path: Path
) -> None:
    path = make_clip(tmp_path / "phone.mp4", CONSTANT[:3], size=(64, 48), audio="aac")
    set_matrix(path, *matrix)
    with open_source(path) as source:
        image = next(iter(source)).image
        assert source.size == ((48, 64) if matrix[0] == 0 else (64, 48))
    height, width = image.shape[:2]
    quarter = image[
        corner[0] * height // 2 : (corner[0] + 1) * height // 2,
        corner[1] * width // 2 : (corner[1] + 1) * width // 2,
    ]
    red = quarter[height // 8 : -height // 8, width // 8 : -width // 8].reshape(-1, 3).mean(0)
    np.testing.assert_allclose(red, (220, 30, 30), atol=15)

    copy(path, tmp_path / "upright.mp4")
    before, after = contents(path), contents(tmp_path / "upright.mp4")
    assert after.size == source.size
    assert_close(after.times, before.times)
    assert after.audio == before.audio
    with open_source(tmp_path / "upright.mp4") as again:  # the pixels were turned, no matrix left
        assert again.size == source.size


def test_odd_sizes_grow_by_a_repeated_column_and_row_where_they_must(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "in.mkv", size=(63, 47), codec="libvpx-vp9")
    for suffix, size in ((".mp4", (64, 48)), (".webm", (63, 47)), (".mov", (63, 47))):
        copy(path, tmp_path / f"out{suffix}")
        assert contents(tmp_path / f"out{suffix}").size == size
    with open_source(path) as source, open_source(tmp_path / "out.mp4") as written:
        image, grown = next(iter(source)).image, next(iter(written)).image
    assert np.abs(grown[:47, :63].astype(int) - image).mean() < 6
    assert np.abs(grown[:47, 63].astype(int) - image[:, 62]).mean() < 6


def test_pixels_that_are_not_square_stay_so(tmp_path: Path) -> None:
    path = tmp_path / "in.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 48
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    copy(path, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


@pytest.mark.parametrize("height", [48, 720])
def test_untagged_colours_follow_the_custom_of_their_size(height: int, tmp_path: Path) -> None:
    size = (64, height)
    path = make_clip(tmp_path / "in.mp4", CONSTANT[:2], size=size)
    with open_source(path) as source:
        image = next(iter(source)).image
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    matrix = "ITU601" if height < 720 else "ITU709"
    expected = frame.reformat(format="rgb24", src_colorspace=matrix).to_ndarray()
    np.testing.assert_allclose(image.mean((0, 1)), expected.mean((0, 1)), atol=2)


def test_written_files_are_tagged_and_come_back_in_the_same_colours(tmp_path: Path) -> None:
    image = frame_picture(4, (64, 48))
    with open_sink(tmp_path / "out.mp4", size=(64, 48), rate=25, quality=100) as sink:
        for frame in open_source([image, image]):
            sink.write(frame)
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (frame.colorspace, frame.color_range) == (1, 1)  # BT.709, limited
    with open_source(tmp_path / "out.mp4") as source:
        back = next(iter(source)).image
    for inside in (np.s_[4:20, 4:28], np.s_[4:20, 36:60], np.s_[26:34, 4:60]):
        np.testing.assert_allclose(back[inside].mean((0, 1)), image[inside].mean((0, 1)), atol=1.5)


def test_the_first_encoder_that_works_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bodypix.media.sinks import encodings

    kind = encodings.CONTAINERS[".mkv"]
    other = encodings.Container(**(vars(kind) | {"codecs": ("h264_nowhere", "mpeg4")}))
    monkeypatch.setitem(encodings.CONTAINERS, ".mkv", other)
    copy(make_clip(tmp_path / "in.mp4"), tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
    assert len(contents(tmp_path / "out.mkv").times) == 20


def test_quality_changes_the_size(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    for suffix in (".mp4", ".webm", ".webp"):
        sizes = []
        for quality in (20, 90):
            path = tmp_path / f"{quality}{suffix}"
            with open_sink(path, size=(64, 48), quality=quality) as sink:
                for frame in open_source([picture, picture[::-1]]):
                    sink.write(frame)
            sizes.append(path.stat().st_size)
        assert sizes[1] > 1.5 * sizes[0]


def test_a_source_goes_on_where_it_stopped_and_ends_when_closed(tmp_path: Path) -> None:
    source = open_source(make_clip(tmp_path / "in.mp4"))
    assert next(iter(source)).index == 0
    frames = iter(source)
    assert next(frames).index == 1
    source.close()
    source.close()
    assert list(frames) == []
    with pytest.raises(MediaError, match="closed"):
        iter(source)
