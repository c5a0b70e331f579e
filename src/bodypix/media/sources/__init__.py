"""Sources of frames, and `open_source` that finds the right one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bodypix.errors import InvalidArgumentError, MediaError
from bodypix.images import check_several
from bodypix.media.frames import Frame, Source
from bodypix.options import is_real

SourceLike: TypeAlias = (
    "Source | str | os.PathLike[str] | int | Iterable[NDArray[np.uint8]] | Iterable[Frame]"
)
"""What `open_source` takes."""

_BY_OPENCV = (".webp", ".png", ".apng", ".avif")


def open_source(
    what: SourceLike,
    *,
    size: tuple[int, int] | None = None,
    rate: Fraction | float | None = None,
    **options: Any,
) -> Source:
    """Open whatever frames can come from.

    | what | source |
    |---|---|
    | a path: video file, GIF | `VideoSource` |
    | a path: animated WebP, PNG, AVIF | `AnimationSource` |
    | a folder, or a pattern such as `frames/%05d.png` or `frames/*.jpg` | `PictureSource` |
    | 0, "camera:0", "/dev/video0", "rtsp://..." | `CameraSource` |
    | "-": raw RGB frames on stdin | `RawSource`, needs `size` |
    | an iterable of arrays (also an (N, H, W, 3) array) or of `Frame`s | `ArraySource` |
    | a `Source` | itself |

    Args:
        what: see above.
        size: (width, height): of raw frames; asked of cameras.
        rate: frames a second where the source does not say (default 30); asked of cameras.
        options: further arguments of that source, such as `reconnect` of a camera.

    Raises:
        MediaError: it cannot be opened, or has no frames.
        MissingExtraError: video files need the extra `video`.
        InvalidArgumentError: `what` is nothing of the table (as a single picture is); `rate` is not
            above 0; `size` lacks.
    """
    exact = None if rate is None else exact_rate(rate)
    if exact is not None:
        options["rate"] = exact
    if isinstance(what, (str, os.PathLike)):
        return _open_path(os.fspath(what), size, options)
    if isinstance(what, int):
        return _open_camera(what, size, options)
    if isinstance(what, Source):
        return what
    if isinstance(what, Iterable):
        from bodypix.media.sources.arrays import ArraySource

        check_several("source", what, "for one use segment_person")
        return ArraySource(what, **options)
    raise InvalidArgumentError(
        "source: expected a path, a camera, an iterable of pictures or an open source, got "
        f"{type(what).__name__}."
    )


def files_of(path: str) -> list[Path]:
    """The files that `open_source` reads for a path; none for what is no file or not there."""
    if _is_several(path):
        from bodypix.media.sources.pictures import find_pictures

        return find_pictures(path)
    return [Path(path)] if os.path.isfile(path) else []


def _is_several(path: str) -> bool:
    """Whether a path is a folder, or the pattern of several files."""
    from bodypix.media.sources.pictures import is_pattern

    return os.path.isdir(path) or (is_pattern(path) and not os.path.exists(path))


def exact_rate(rate: Fraction | float) -> Fraction:
    """Frames a second as a fraction; 29.97 becomes 30000/1001.

    Raises:
        InvalidArgumentError: not a number above 0.
    """
    if not (is_real(rate) and 0 < rate <= 100_000):  # so written that NaN fails
        raise InvalidArgumentError(f"rate: expected a number of frames a second, got {rate!r}.")
    if isinstance(rate, Fraction):
        return rate
    ntsc = Fraction(round(rate * 1.001) * 1000, 1001)
    if abs(float(ntsc) - rate) < 0.006 and not float(rate).is_integer():
        return ntsc
    return Fraction(rate).limit_denominator(1001)


def _open_path(path: str, size: tuple[int, int] | None, options: dict[str, Any]) -> Source:
    if path == "-":
        from bodypix.media.sources.raw import RawSource

        if size is None:
            raise InvalidArgumentError(
                "size: raw frames on stdin need their size, for example (640, 480)."
            )
        return RawSource(sys.stdin.buffer, size=size, **options)
    camera = path.removeprefix("camera:")
    if camera != path or path.startswith("/dev/video") or "://" in path:
        return _open_camera(camera, size, options)

    if _is_several(path):
        from bodypix.media.sources.pictures import PictureSource

        return PictureSource(path, **options)
    if not os.path.isfile(path):
        raise MediaError(f"source: no such file or folder: {path!r}.")
    options.pop("rate", None)  # the file knows
    if Path(path).suffix.lower() in _BY_OPENCV:
        from bodypix.media.sources.animation import AnimationSource

        return AnimationSource(path, **options)
    from bodypix.media.sources.video import VideoSource

    return VideoSource(path, **options)


def _open_camera(
    device: int | str, size: tuple[int, int] | None, options: dict[str, Any]
) -> Source:
    from bodypix.media.sources.camera import CameraSource

    return CameraSource(device, size=size, **options)
