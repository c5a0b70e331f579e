"""The two stages of a film with effects: find the people in each frame, and draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from bodypix.media.backdrops import Backdrop
from bodypix.media.effects import Found, Image, Look, apply, needs
from bodypix.media.frames import Frame
from bodypix.media.pipeline import Stage
from bodypix.media.segmenting import FrameSegmenter, Result
from bodypix.options import InferenceOptions
from bodypix.segmenter import BodyPix
from bodypix.temporal.smoothing import SmoothingOptions


@dataclass(frozen=True)
class Film:
    """How a film is made: effects, how they look, and how people are found.

    Attributes:
        effects: names of `effects.EFFECTS`, in the order of drawing; none leaves the picture.
        look: how they are drawn; its background gives way to `backdrop` where that is not None.
        backdrop: a background that may move.
        smoothing: None takes every frame by itself.
        options: for the network.

    Raises:
        InvalidArgumentError: effects that do not exist or do not go together.
    """

    effects: Sequence[str]
    look: Look = field(default_factory=Look)
    backdrop: Backdrop | None = None
    smoothing: SmoothingOptions | None = field(default_factory=SmoothingOptions)
    options: InferenceOptions = field(default_factory=InferenceOptions)

    def __post_init__(self) -> None:
        needs(self.effects)

    @property
    def alpha(self) -> bool:
        """Whether the pictures are RGBA."""
        return needs(self.effects).alpha

    def segmenter(self, model: BodyPix) -> FrameSegmenter:
        """What finds the people; one for one film."""
        wanted = needs(self.effects)
        return FrameSegmenter(
            model,
            parts=wanted.parts,
            people=wanted.people,
            poses=wanted.poses,
            smoothing=self.smoothing,
            options=self.options,
        )

    def finds_like(self, other: Film) -> bool:
        """Whether both look for the same in the same way, so that one segmenter does for both."""
        return (needs(self.effects), self.smoothing, self.options) == (
            needs(other.effects),
            other.smoothing,
            other.options,
        )

    def draw(self, frame: Frame, result: Result) -> Image:
        """The picture of one frame: (H, W, 3) uint8 RGB, or RGBA with `alpha`."""
        look = self.look
        if self.backdrop is not None:
            look = replace(look, background=self.backdrop.at(frame.time))
        if isinstance(result, list):
            found = Found(frame.image, result, True, [one.pose for one in result if one.pose])
        else:
            poses = result.all_poses if needs(self.effects).poses else []
            least = self.options.score_threshold
            found = Found(
                frame.image, [result], False, [pose for pose in poses if pose.score >= least]
            )
        return apply(self.effects, found, look)


def film_stages(model: BodyPix, current: Callable[[], Film]) -> dict[str, Stage]:
    """The stages "segment" and "draw" for `pipeline.run`.

    Args:
        model: from `bodypix.load`.
        current: asked before each frame is segmented how the film is made from there on; what is
            remembered of earlier frames is kept where both ways `finds_like` each other.
    """

    def segment(frames: Iterator[Frame]) -> Iterator[tuple[Frame, Result, Film]]:
        before = film = current()
        segmenter = film.segmenter(model)
        for frame in frames:
            film = current()
            if not film.finds_like(before):
                segmenter = film.segmenter(model)
            before = film
            yield frame, segmenter(frame.image), film

    def draw(found: Iterator[tuple[Frame, Result, Film]]) -> Iterator[Frame]:
        for frame, result, film in found:
            yield frame.replaced(film.draw(frame, result))

    return {"segment": segment, "draw": draw}
