"""Sinks for frames, and `open_sink` that finds the right one."""

from __future__ import annotations

import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

from bodypix.errors import InvalidArgumentError
from bodypix.media.frames import Sink, Source
from bodypix.media.sources import exact_rate
from bodypix.options import path_text

_DEFAULT_RATE = Fraction(30)


def open_sink(
    what: str | os.PathLike[str],
    *,
    size: tuple[int, int] | None = None,
    rate: Fraction | float | None = None,
    like: Source | None = None,
    alpha: bool = False,
    quality: int = 80,
    audio: bool = True,
    keep_partial: bool = False,
    **options: Any,
) -> Sink:
    """Open whatever frames can go to.

    | what | sink |
    |---|---|
    | .mp4, .m4v, .mkv, .webm, .mov, .gif, .webp | `VideoSink` |
    | a folder (no suffix), or a pattern such as `frames/%05d.png` | `PictureSink` |
    | "-": raw frames on stdout | `RawSink` |
    | "window:" or "window:TITLE" | `WindowSink` |
    | "virtual-camera:" or "virtual-camera:DEVICE" | `VirtualCameraSink` |

    Args:
        what: see above.
        size: (width, height) of the frames; default that of `like`.
        rate: frames a second; default that of `like`, else 30.
        like: the source of the frames; a video file takes over its timestamps and its audio.
        alpha: frames are (H, W, 4) RGBA.
        quality: 1..100, where there is a choice.
        audio: take over the audio of `like`, where the sink holds audio.
        keep_partial: on `abort`, keep what is there, where that is a file.
        options: further arguments of that sink, such as `codec`.

    Raises:
        InvalidArgumentError: nothing of the table; neither `size` nor `like`; an argument out of
            range; `alpha` where there is none.
        OutputError: it cannot be written or opened.
        MissingExtraError: it needs an extra that is not installed.
    """
    if size is None:
        if like is None:
            raise InvalidArgumentError("size: expected the size of the frames, or like=source.")
        size = like.size
    if rate is None:
        rate = (like.rate if like is not None else None) or _DEFAULT_RATE
    exact = exact_rate(rate)
    target = path_text("what", what)

    if target == "-":
        from bodypix.media.sinks.raw import RawSink

        # Unbuffered, so that nothing is left to fail when Python ends.
        stdout = getattr(sys.stdout.buffer, "raw", sys.stdout.buffer)
        return RawSink(stdout, size=size, alpha=alpha, **options)
    for prefix in ("window:", "virtual-camera:"):
        if target.startswith(prefix):
            if alpha:
                raise InvalidArgumentError(f"alpha: {prefix} shows no transparency.")
            return _open_shown(prefix, target.removeprefix(prefix), size, exact, options)
    options |= {"quality": quality, "keep_partial": keep_partial}
    if takes_pictures(target):
        from bodypix.media.sinks.pictures import PictureSink

        return PictureSink(target, size=size, alpha=alpha, **options)
    from bodypix.media.sinks.video import VideoSink

    return VideoSink(target, size=size, rate=exact, like=like, alpha=alpha, audio=audio, **options)


def takes_pictures(target: str) -> bool:
    """Whether frames go to a folder or a pattern of pictures, by the table of `open_sink`."""
    from bodypix.media.sinks.pictures import SUFFIXES

    suffix = Path(target).suffix.lower()
    return not suffix or suffix in SUFFIXES or os.path.isdir(target)


def _open_shown(
    prefix: str, rest: str, size: tuple[int, int], rate: Fraction, options: dict[str, Any]
) -> Sink:
    if prefix == "window:":
        from bodypix.media.sinks.window import WindowSink

        return WindowSink(size=size, title=rest or "bodypix", **options)
    from bodypix.media.sinks.virtual_camera import VirtualCameraSink

    return VirtualCameraSink(size=size, rate=rate, device=rest or None, **options)
