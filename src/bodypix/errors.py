"""Every error that bodypix raises on purpose.

BodyPixError
├── InvalidArgumentError (also ValueError)   an option or argument outside its range
├── ImageError           (also ValueError)   a file or array that is no usable image
├── MediaError           (also ValueError)   a video, animation or camera that gives no frames
├── CheckpointError                          a model file is missing, corrupt or of the wrong kind
│   ├── DownloadError                        a checkpoint could not be fetched
│   │   └── OfflineError                     ... because fetching is switched off
│   └── ChecksumError                        a file is not the one that was pinned
├── DeviceError          (also RuntimeError) the asked-for device is not there
├── MissingExtraError    (also ImportError)  an optional dependency is not installed
└── OutputError          (also OSError)      a file cannot be written
"""

from __future__ import annotations


class BodyPixError(Exception):
    """Base of all errors raised on purpose; the message says what to do."""


class InvalidArgumentError(BodyPixError, ValueError):
    """An argument is outside what it may be."""


class ImageError(BodyPixError, ValueError):
    """The input is no image that can be segmented."""


class MediaError(BodyPixError, ValueError):
    """A video, an animation, a pipe or a camera gives no frames, or no usable ones."""


class CheckpointError(BodyPixError):
    """A model file is missing, corrupt, or not a BodyPix model."""


class DownloadError(CheckpointError):
    """A published checkpoint could not be fetched."""


class OfflineError(DownloadError):
    """A download would be needed while offline mode is on."""


class ChecksumError(CheckpointError):
    """A file differs from the checksum that was pinned for it."""


class DeviceError(BodyPixError, RuntimeError):
    """The requested device or execution provider is not available."""


class MissingExtraError(BodyPixError, ImportError):
    """A feature needs an optional dependency; the message names the extra to install."""


class OutputError(BodyPixError, OSError):
    """A file cannot be written."""
