"""What a worker does with one upload: read the picture, segment it, write the answer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bodypix.errors import ImageError
from bodypix.image_headers import read_header
from bodypix.images import decode_image
from bodypix.segmenter import BodyPix
from bodypix.serve.answers import document, encode_png, picture, search
from bodypix.serve.parameters import Output, Parameters, share_of
from bodypix.serve.problems import Refused
from bodypix.serve.settings import Settings
from bodypix.sources import frame_for

# TIFF is left out: a file of 200 bytes can make its decoder ask for a gigabyte.
FORMATS: Final = ("JPEG", "PNG", "WebP", "GIF", "BMP")

# Cameras and encoders write about 10. Each costs a pass over the whole picture, and can be made of
# 40 bytes: a JPEG within all other limits could keep a worker busy for hours.
_MOST_JPEG_SCANS: Final = 100
_JPEG_SCAN: Final = b"\xff\xda"


@dataclass(frozen=True)
class Answer:
    """What is sent back, and how many seconds each step took."""

    content: bytes
    media_type: str
    seconds: dict[str, float]
    pixels: int


def work(model: BodyPix, data: bytes, wanted: Parameters, settings: Settings) -> Answer:
    """Segment an uploaded picture.

    Raises:
        Refused: 413 too many pixels, 415 no picture, 422 a broken picture, or one that is too
            large for the internal resolution that was asked for.
    """
    clock = time.perf_counter
    begin = clock()
    image = read_upload(model, data, wanted, settings)
    decoded = clock()
    found = search(model, image, wanted)
    segmented = clock()
    if wanted.output is Output.JSON:
        content, media_type = document(found, wanted, model), "application/json"
    else:
        content, media_type = encode_png(picture(found, wanted)), "image/png"
    seconds = {
        "decode": decoded - begin,
        "segment": segmented - decoded,
        "encode": clock() - segmented,
    }
    return Answer(content, media_type, seconds, image.shape[0] * image.shape[1])


def read_upload(
    model: BodyPix, data: bytes, wanted: Parameters, settings: Settings
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB of an upload; the header is checked against the limits before decoding.

    Raises:
        Refused: as `work`.
    """
    header = read_header(data)
    if header is None or header.format not in FORMATS:
        raise Refused(
            415,
            f"image: expected a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} picture, got "
            f"{len(data)} bytes that begin with {data[:8]!r}.",
        )
    width, height = header.width, header.height
    if width * height > settings.max_pixels:
        raise Refused(
            413,
            f"image: expected at most {settings.max_pixels} pixels, got {width}x{height}; make "
            "the picture smaller.",
        )
    if header.format == "JPEG" and data.count(_JPEG_SCAN) > _MOST_JPEG_SCANS:
        raise Refused(
            422,
            f"image: expected a JPEG of at most {_MOST_JPEG_SCANS} scans, got "
            f"{data.count(_JPEG_SCAN)}; save it again without progressive coding.",
        )
    if width and height:
        frame = frame_for(model.info, (height, width), share_of(wanted.internal_resolution))
        if prod(frame.input_size) > settings.max_network_pixels:
            raise Refused(
                422,
                f"internal_resolution: expected one that gives the network at most "
                f"{settings.max_network_pixels} pixels, got {wanted.internal_resolution} for a "
                f"picture of {width}x{height}; choose a smaller one, or make the picture smaller.",
            )
    try:
        return decode_image(data, max_pixels=settings.max_pixels, name="the upload")
    except ImageError as error:
        raise Refused(422, str(error)) from error
