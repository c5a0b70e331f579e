"""VP9 in WebM and ProRes 4444 in MOV keep the alpha of every frame."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from bodypix.errors import InvalidArgumentError
from bodypix.media import open_sink, open_source
from helpers.clips import CONSTANT, frame_picture, make_clip

SIZE = (64, 48)


def clip(path: Path) -> None:
    """A clip whose alpha rises from the top (0) to the bottom (255)."""
    alpha = np.repeat(np.linspace(0, 255, SIZE[1]).astype(np.uint8)[:, None, None], SIZE[0], 1)
    source_path = make_clip(path.parent / "in.mp4", CONSTANT[:6], audio="aac")
    with (
        open_source(source_path) as source,
        open_sink(path, like=source, alpha=True, quality=100) as sink,
    ):
        assert sink.alpha
        for frame in source:
            sink.write(frame.replaced(np.concatenate([frame.image, alpha], axis=2)))


def decoded(path: Path, decoder: str) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        context = av.CodecContext.create(decoder, "r")
        stream = container.streams.video[0]
        context.extradata = stream.codec_context.extradata
        context.codec_tag = stream.codec_context.codec_tag
        return [
            np.asarray(frame.to_ndarray(format="rgba"), np.uint8)
            for packet in container.demux(stream)
            for frame in context.decode(packet)
        ]


@pytest.mark.parametrize(("suffix", "decoder"), [(".webm", "libvpx-vp9"), (".mov", "prores")])
def test_alpha_and_colours_come_back(suffix: str, decoder: str, tmp_path: Path) -> None:
    path = tmp_path / f"out{suffix}"
    clip(path)
    images = decoded(path, decoder)
    assert len(images) == 6
    expected = np.linspace(0, 255, SIZE[1])
    for number, image in enumerate(images):
        np.testing.assert_allclose(image[..., 3].mean(1), expected, atol=4)
        # Colours are not premultiplied: they are whole where alpha is low.
        drawn = frame_picture(number, SIZE)
        np.testing.assert_allclose(
            image[4:20, 4:28, :3].mean((0, 1)), drawn[4:20, 4:28].mean((0, 1)), atol=6
        )


def test_players_are_told_of_the_alpha(tmp_path: Path) -> None:
    clip(tmp_path / "out.webm")
    clip(tmp_path / "out.mov")
    with av.open(str(tmp_path / "out.webm")) as container:
        assert container.streams.video[0].metadata["alpha_mode"] == "1"
        assert container.streams.audio
    with av.open(str(tmp_path / "out.mov")) as container:
        video = container.streams.video[0]
        assert video.codec_context.name == "prores"
        assert video.codec_context.codec_tag == "ap4h"  # 4444
        assert "yuva444" in str(video.codec_context.pix_fmt)


def test_prores_without_alpha(tmp_path: Path) -> None:
    with open_sink(tmp_path / "out.mov", size=SIZE) as sink:
        for frame in open_source([frame_picture(0, SIZE)]):
            sink.write(frame)
    with av.open(str(tmp_path / "out.mov")) as container:
        assert "yuv444" in str(container.streams.video[0].codec_context.pix_fmt)


def test_another_encoder_for_mov(tmp_path: Path) -> None:
    with open_sink(tmp_path / "out.mov", size=(63, 47), codec="libx264") as sink:
        for frame in open_source([frame_picture(0, (63, 47))]):
            sink.write(frame)
    with av.open(str(tmp_path / "out.mov")) as container:
        assert container.streams.video[0].codec_context.name == "h264"


def test_an_encoder_without_alpha_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="'libx264' cannot encode transparent video"):
        open_sink(tmp_path / "out.mov", size=SIZE, alpha=True, codec="libx264")
    assert list(tmp_path.iterdir()) == []
