"""Person masks, 24 body parts and poses from a photo.

    import bodypix

    model = bodypix.load()
    person = model.segment_person("photo.jpg")
    person.save("mask.png")

Names are imported when first used: `import bodypix` alone loads neither OpenCV nor onnxruntime.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from bodypix import body, body_segmentation, drawing, errors, media, v1
    from bodypix.errors import (
        BodyPixError,
        CheckpointError,
        ChecksumError,
        DeviceError,
        DownloadError,
        ImageError,
        InvalidArgumentError,
        MediaError,
        MissingExtraError,
        OfflineError,
        OutputError,
    )
    from bodypix.media.stream import stream
    from bodypix.results import Keypoint, PartSegmentation, PersonSegmentation, Pose
    from bodypix.segmenter import BodyPix, load

__all__ = [
    "BodyPix",
    "BodyPixError",
    "CheckpointError",
    "ChecksumError",
    "DeviceError",
    "DownloadError",
    "ImageError",
    "InvalidArgumentError",
    "Keypoint",
    "MediaError",
    "MissingExtraError",
    "OfflineError",
    "OutputError",
    "PartSegmentation",
    "PersonSegmentation",
    "Pose",
    "__version__",
    "body",
    "body_segmentation",
    "drawing",
    "errors",
    "load",
    "media",
    "stream",
    "v1",
]

_MODULES = ("body", "body_segmentation", "drawing", "errors", "media", "v1")
_HOME = {
    "BodyPix": "segmenter",
    "load": "segmenter",
    "stream": "media.stream",
    "Keypoint": "results",
    "PartSegmentation": "results",
    "PersonSegmentation": "results",
    "Pose": "results",
}


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562); `__all__` lists them."""
    if name in _MODULES:
        return importlib.import_module(f"bodypix.{name}")
    if name not in __all__:
        raise AttributeError(f"module 'bodypix' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"bodypix.{_HOME.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
