"""Which codec, pixel format and settings go into which kind of file."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from bodypix.errors import InvalidArgumentError
from bodypix.media.ffmpeg import av

# FFmpeg's encoders of H.264, the first that works is taken: x264, Cisco's, then those of the
# system or the graphics card, which builds without the former have.
H264_ENCODERS: Final = (
    "libx264",
    "libopenh264",
    "h264_videotoolbox",
    "h264_mf",
    "h264_nvenc",
    "h264_qsv",
)

# Encoders that take odd widths and heights.
_ANY_SIZE: Final = ("gif", "libvpx-vp9", "libwebp_anim", "prores_ks")

_ALPHA_FORMATS: Final = ("yuva420p", "yuva444p10le", "rgba", "bgra", "argb")
_OPAQUE_FORMATS: Final = ("yuv420p", "nv12", "yuv422p10le", "yuv444p10le", "rgb24", "bgr0")


@dataclass(frozen=True)
class Container:
    """A kind of file.

    Attributes:
        muxer: FFmpeg's name of it.
        codecs: encoders to try in turn.
        alpha: whether it can hold transparency (with one of `codecs`).
        tick: seconds that its times are whole multiples of, or None for any.
        shortest: seconds that a frame lasts at least; nearer ones are left out.
        options: settings of the file.
        audio_copied: audio codecs that it can hold as they are.
        audio_encoder: what other audio is encoded with; None: it holds no audio.
    """

    muxer: str
    codecs: tuple[str, ...]
    alpha: bool
    tick: Fraction | None = None
    shortest: Fraction = Fraction(0)
    options: dict[str, str] = field(default_factory=dict)
    audio_copied: frozenset[str] = frozenset()
    audio_encoder: str | None = None


_MILLISECOND: Final = Fraction(1, 1000)
_PCM: Final = frozenset(
    {"pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le", "pcm_u8"}
)
# +faststart puts the index in front, so that players need not have the whole file.
_MP4: Final = Container(
    "mp4",
    H264_ENCODERS,
    alpha=False,
    options={"movflags": "+faststart"},
    audio_copied=frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus"}),
    audio_encoder="aac",
)

CONTAINERS: Final = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mkv": Container(
        "matroska",
        H264_ENCODERS,
        alpha=False,
        tick=_MILLISECOND,
        audio_copied=_MP4.audio_copied | _PCM | {"vorbis", "flac", "mp2", "dts", "truehd"},
        audio_encoder="aac",
    ),
    ".webm": Container(
        "webm",
        ("libvpx-vp9",),
        alpha=True,
        tick=_MILLISECOND,
        audio_copied=frozenset({"opus", "vorbis"}),
        audio_encoder="libopus",
    ),
    ".mov": Container(
        "mov",
        ("prores_ks",),
        alpha=True,
        audio_copied=frozenset({"aac", "mp3", "ac3", "alac"}) | _PCM,
        audio_encoder="aac",
    ),
    # Browsers show frames of less than 2/100 s for 10/100 s, so nothing is gained by them.
    ".gif": Container(
        "gif",
        ("gif",),
        alpha=True,
        tick=Fraction(1, 100),
        shortest=Fraction(2, 100),
        options={"loop": "0"},
    ),
    ".webp": Container(
        "webp", ("libwebp_anim",), alpha=True, tick=_MILLISECOND, options={"loop": "0"}
    ),
}
"""By suffix."""


def pixel_format(codec: str, *, alpha: bool) -> str:
    """FFmpeg's name of the pixel format to give to an encoder.

    Raises:
        InvalidArgumentError: FFmpeg has no such encoder here, or it cannot do that.
    """
    if codec == "prores_ks":
        return "yuva444p10le" if alpha else "yuv444p10le"
    if codec == "gif":
        return "pal8"
    try:
        formats = av.Codec(codec, "w").video_formats or []
    except (av.FFmpegError, ValueError) as error:
        raise InvalidArgumentError(f"FFmpeg has no encoder {codec!r} here") from error
    known = {entry.name for entry in formats}
    for name in _ALPHA_FORMATS if alpha else _OPAQUE_FORMATS:
        if name in known:
            return name
    raise InvalidArgumentError(f"{codec!r} cannot encode {'transparent ' if alpha else ''}video")


def settings(
    codec: str, quality: int, size: tuple[int, int], rate: Fraction, *, alpha: bool
) -> tuple[dict[str, str], int]:
    """(options, bits a second or 0) that give a quality of 1..100 with an encoder.

    80 looks like the original to most; each step of 20 is about half or twice the bits.
    """
    if codec == "libx264":
        # Without frames that are stored out of order, since MP4 cannot tell the length of a video
        # of variable rate that has them. It costs some more bits.
        return {"crf": f"{40 - quality / 4:g}", "preset": "veryfast", "bf": "0"}, 0
    if codec == "libvpx-vp9":
        options = {
            "crf": str(round(56 - 0.4 * quality)),
            "deadline": "good",
            "cpu-used": "5",
            "row-mt": "1",
        }
        # libvpx: hidden reference frames do not go together with alpha
        return (options | {"auto-alt-ref": "0"} if alpha else options), 0
    if codec == "prores_ks":
        return {"profile": "4444", "vendor": "apl0", "alpha_bits": "16" if alpha else "0"}, 0
    if codec == "libwebp_anim":
        return {"quality": str(quality)}, 0
    if codec == "gif":
        return {}, 0
    # Encoders that know only a bit rate: 0.1 bits a pixel at 80 (the usual rule for H.264).
    bits = size[0] * size[1] * float(rate) * 0.1 * 2 ** ((quality - 80) / 20)
    return {}, max(100_000, round(bits))


def container_of(suffix: str, *, alpha: bool) -> Container:
    """The kind of file of a suffix such as ".mp4".

    Raises:
        InvalidArgumentError: not one of `CONTAINERS`, or it cannot be transparent.
    """
    container = CONTAINERS.get(suffix.lower())
    if container is None:
        raise InvalidArgumentError(
            f"sink: no video is written as {suffix!r} files; expected one of "
            f"{', '.join(CONTAINERS)}."
        )
    if alpha and not container.alpha:
        able = [name for name, other in CONTAINERS.items() if other.alpha]
        raise InvalidArgumentError(
            f"alpha: {suffix} files hold no transparency; use one of {', '.join(able)}, or a "
            "folder of PNG files."
        )
    return container


def coded_size(size: tuple[int, int], codec: str) -> tuple[int, int]:
    """The size that an encoder is given: H.264 and most others need even width and height."""
    if codec in _ANY_SIZE:
        return size
    return (size[0] + size[0] % 2, size[1] + size[1] % 2)
