"""The pictures that `bodypix image` can write."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What is written for every picture."""

    MASK = "mask"
    PARTS = "parts"
    CUTOUT = "cutout"
    OVERLAY = "overlay"
    PART_IDS = "part-ids"
    PROBABILITY = "probability"


class Effect(Enum):
    """What is done to the photo itself."""

    BOKEH = "bokeh"
    PIXELATE = "pixelate"
    BLUR_FACE = "blur-face"
    REPLACE = "replace"
    MASK = "mask"


class MovingEffect(Enum):
    """What is done to the frames of a video or a webcam."""

    BOKEH = "bokeh"
    REPLACE = "replace"
    MASK = "mask"
    PIXELATE = "pixelate"
    BLUR_FACE = "blur-face"
    PARTS = "parts"
    PEOPLE = "people"
    SKELETON = "skeleton"
    CUTOUT = "cutout"


class What(Enum):
    """What `bodypix anonymize` hides."""

    FACES = "faces"
    PEOPLE = "people"


class How(Enum):
    """How `bodypix anonymize` hides it."""

    BLUR = "blur"
    PIXELATE = "pixelate"
    FILL = "fill"


class Colors(Enum):
    """Colour scales of the 24 parts."""

    RAINBOW = "rainbow"
    WARM = "warm"
    SPECTRAL = "spectral"


PER_PERSON = frozenset({Kind.MASK, Kind.PARTS, Kind.CUTOUT, Kind.PART_IDS})
"""With separate people, one file for each person."""

NEED_PARTS = frozenset({Kind.PARTS, Kind.PART_IDS, Effect.BLUR_FACE, Effect.PIXELATE})
"""Made from the 24 parts, so the part heads of the network run."""


def ending(what: Kind | Effect) -> str:
    """What is added to the name of the picture: exact data as PNG, pictures to look at as JPEG.

    The effect `mask` shares its name with the kind, so effects say what they are.
    """
    if isinstance(what, Effect):
        return f".effect-{what.value}.jpg"
    return ".overlay.jpg" if what is Kind.OVERLAY else f".{what.value}.png"


ENDINGS = tuple(ending(what) for what in (*Kind, *Effect))
