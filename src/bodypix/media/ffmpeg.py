"""PyAV, or an error that says how to get it; and FFmpeg's errors in our words.

Modules that need PyAV take `av` from here. It is imported with them, not with `bodypix.media`, so
that cameras, pictures and pipes work without the extra `video`.
"""

from __future__ import annotations

from typing import Final

from bodypix.errors import MissingExtraError

try:
    import av
    import av.error
    import av.filter
    from av.sidedata.sidedata import SideData
    from av.video.reformatter import VideoReformatter
except ImportError as error:
    raise MissingExtraError(
        "Video files need the package av (PyAV), which is not installed. "
        'Get it with: pip install "bodypix[video]"'
    ) from error

__all__ = [
    "ACCURATE",
    "BT601",
    "BT709",
    "LIMITED_RANGE",
    "UNSPECIFIED",
    "SideData",
    "VideoReformatter",
    "av",
    "reason",
]

# FFmpeg's numbers of the matrices between YUV and RGB (libavutil/pixfmt.h, AVCOL_SPC_*).
BT709: Final = 1
UNSPECIFIED: Final = 2
BT601: Final = 5

# Flags of libswscale: bilinear (2), accurate rounding, chroma at full width. The usual fast way is
# a millisecond quicker at 640x480, and every picture comes back darker by 1.4 levels.
ACCURATE: Final = 2 | 0x40000 | 0x2000

LIMITED_RANGE: Final = 1  # AVCOL_RANGE_MPEG


def reason(error: Exception) -> str:
    """What went wrong, without FFmpeg's error numbers and file names."""
    return str(getattr(error, "strerror", None) or error)
