"""`bodypix.stream`: the frames of a moving picture with what was found in each."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from bodypix.errors import InvalidArgumentError
from bodypix.geometry import InternalResolution
from bodypix.media.frames import Frame, Source
from bodypix.media.pipeline import Conveyor
from bodypix.media.segmenting import FrameSegmenter, Result
from bodypix.media.sources import open_source
from bodypix.options import InferenceOptions, is_real
from bodypix.segmenter import BodyPix, load
from bodypix.temporal.smoothing import SmoothingOptions


def stream(
    source: Any,
    model: BodyPix | None = None,
    *,
    parts: bool = False,
    people: bool = False,
    poses: bool = False,
    smoothing: bool | float | SmoothingOptions = True,
    internal_resolution: InternalResolution = "medium",
    segmentation_threshold: float = 0.7,
    flip_horizontal: bool = False,
    max_detections: int = 10,
    score_threshold: float = 0.4,
    nms_radius: float = 20.0,
) -> Stream:
    """The frames of a film or a camera, each with the people in it, while the next are on the way.

    Reading and segmenting go on in threads of their own, a few frames ahead of the loop. Of a file
    every frame comes, in order; of a camera the newest.

        for frame, person in bodypix.stream("talk.mp4"):
            print(frame.time, person.mask.mean())

    Args:
        source: what `bodypix.media.open_source` takes: a video file, an animation, a folder of
            pictures, "camera:0", an iterable of (H, W, 3) uint8 RGB arrays, or an open source.
        model: from `bodypix.load`; None loads the default.
        parts: part maps instead of masks.
        people: a list with one segmentation for each person, whose `.track` stays the same from
            frame to frame, instead of one for everybody.
        poses: find `.all_poses` along with the rest, which is faster than when they are read.
        smoothing: steady masks: True, False (each frame by itself), a number (the strength of
            `SmoothingOptions`; 0 is False), or options.

    The other arguments are those of `BodyPix.segment_person`.

    Returns:
        An iterator of (`Frame`, result): a `PersonSegmentation` or `PartSegmentation`, or a list
        of them with `people`. A `for` loop that ends early, or `close()`, ends the threads.

    Raises:
        InvalidArgumentError: an option is out of range or of the wrong kind.
        BodyPixError: the source cannot be opened (or, while iterating, cannot be read on).
    """
    options = InferenceOptions(
        internal_resolution=internal_resolution,
        segmentation_threshold=segmentation_threshold,
        flip_horizontal=flip_horizontal,
        max_detections=max_detections,
        score_threshold=score_threshold,
        nms_radius=nms_radius,
    )
    segmenter = FrameSegmenter(
        load() if model is None else _checked_model(model),
        parts=parts,
        people=people,
        poses=poses,
        smoothing=_smoothing_options(smoothing),
        options=options,
    )
    return Stream(open_source(source), segmenter)


def _checked_model(model: object) -> BodyPix:
    if isinstance(model, BodyPix):
        return model
    got = repr(model) if isinstance(model, str) else type(model).__name__
    raise InvalidArgumentError(
        "model: expected a model that bodypix.load returned, or None for the default; got "
        f"{got}. Write bodypix.stream(source, bodypix.load(...))."
    )


def _smoothing_options(smoothing: bool | float | SmoothingOptions) -> SmoothingOptions | None:
    """None where nothing is to be smoothed."""
    if smoothing is True:
        return SmoothingOptions()
    if isinstance(smoothing, SmoothingOptions):
        return smoothing
    if smoothing and not is_real(smoothing):
        raise InvalidArgumentError(
            "smoothing: expected True, False, a strength from 0 to below 1, or SmoothingOptions; "
            f"got {smoothing!r}."
        )
    return SmoothingOptions(strength=smoothing) if smoothing else None


class Stream(Iterator[tuple[Frame, Result]]):
    """What `stream` returns: an iterator that is also a context manager.

    `source` is the open source, with its size, rate and number of frames.
    """

    def __init__(self, source: Source, segmenter: FrameSegmenter) -> None:
        self.source = source

        def segment(frames: Iterator[Frame]) -> Iterator[tuple[Frame, Result]]:
            for frame in frames:
                yield frame, segmenter(frame.image)

        with ExitStack() as stack:
            stack.enter_context(source)
            self._conveyor = stack.enter_context(Conveyor(source, {"segment": segment}))
            # Also where the loop is left without `close`; the threads hold no reference to self.
            self._end = weakref.finalize(self, stack.pop_all().close)

    @property
    def dropped(self) -> int:
        """Frames of a live source that were replaced by a newer one before they were segmented."""
        return self._conveyor.dropped

    def __next__(self) -> tuple[Frame, Result]:
        try:
            pair: tuple[Frame, Result] = next(self._conveyor)
        except BaseException:
            self.close()
            raise
        return pair

    def close(self) -> None:
        """End the threads and close the source; may be called twice."""
        self._end()

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
