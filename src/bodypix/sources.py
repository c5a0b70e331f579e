"""Images made ready for the network, and the way of their answers back into the given images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bodypix.checkpoints.metadata import ModelMetadata
from bodypix.checkpoints.own_network import OWN_STRIDE
from bodypix.decoding.poses import flip_poses_horizontal
from bodypix.engine import Engine, Heads
from bodypix.errors import ImageError
from bodypix.geometry import Frame, ImageSize, InternalResolution
from bodypix.images import ImageLike, to_rgb
from bodypix.options import InferenceOptions
from bodypix.preprocessing import fill_network_input
from bodypix.results import Pose
from bodypix.scratch import recycled

_Pixel = TypeVar("_Pixel", bound=np.generic)


@dataclass(frozen=True)
class Source:
    """One image, ready for the network, and how to bring answers back into its frame.

    The network's input is kept, not the caller's array, which may change before poses are asked
    for. `batch` is (N, h, w, 3) float32, and the image is number `index` in it.
    """

    batch: NDArray[np.float32]
    index: int
    frame: Frame
    flipped: bool

    @property
    def tensor(self) -> NDArray[np.float32]:
        """(1, h, w, 3) float32: the image alone."""
        return self.batch[self.index : self.index + 1]

    def unflip(self, array: NDArray[_Pixel]) -> NDArray[_Pixel]:
        """An (H, W) array of the segmented picture as it lies in the given image."""
        return np.ascontiguousarray(array[:, ::-1]) if self.flipped else array

    def unflip_poses(self, poses: list[Pose]) -> list[Pose]:
        """Poses of the segmented picture as they lie in the given image."""
        if not self.flipped:
            return poses
        return flip_poses_horizontal(poses, self.frame.image_size[1], swap_sides=True)


def frame_for(
    model: ModelMetadata, size: ImageSize, internal_resolution: InternalResolution
) -> Frame:
    """How an image of size (H, W) lies in a model's input.

    Models with fine heads are our own and free to use the faster, exact convention.

    Raises:
        InvalidArgumentError: `internal_resolution` is out of range.
    """
    own = model.person_head == "segments_fine"
    # On whatever stride, fine heads are checked against poses on cells of their own stride.
    stride = max(model.output_stride, OWN_STRIDE) if own else model.output_stride
    return Frame.of(size, internal_resolution, stride, centred=own)


def prepare(
    images: Sequence[ImageLike], options: InferenceOptions, model: ModelMetadata
) -> list[Source]:
    """Images of one size, preprocessed side by side in the memory of one batch.

    Raises:
        ImageError: an image cannot be used, or differs in size from the first.
    """
    pictures = [to_rgb(image) for image in images]
    if not pictures:
        return []
    size = pictures[0].shape[:2]
    for index, picture in enumerate(pictures):
        if picture.shape[:2] != size:
            raise ImageError(
                f"images: expected one size, {size[1]}x{size[0]} as the first; image {index} "
                f"is {picture.shape[1]}x{picture.shape[0]}. Resize it or segment it by itself."
            )
    frame = frame_for(model, (size[0], size[1]), options.internal_resolution)
    batch = recycled((len(pictures), *frame.input_size, 3), np.float32)
    for picture, target in zip(pictures, batch, strict=True):
        if options.flip_horizontal:
            picture = np.ascontiguousarray(picture[:, ::-1])
        fill_network_input(picture, frame, model.preprocessing, target)
    return [Source(batch, index, frame, options.flip_horizontal) for index in range(len(pictures))]


def run(engine: Engine, sources: Sequence[Source], names: Sequence[str]) -> list[Heads]:
    """Raw heads of images that `prepare` put into one batch."""
    if not sources:
        return []
    batch = sources[0].tensor if len(sources) == 1 else sources[0].batch
    arrays = engine.run(batch, names)
    return [
        Heads(
            {name: array[index] for name, array in arrays.items()},
            source.frame,
            engine.metadata.output_stride,
        )
        for index, source in enumerate(sources)
    ]
