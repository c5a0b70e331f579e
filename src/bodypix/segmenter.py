"""The public face: `load` a model, then call its `segment_*` methods."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bodypix import body
from bodypix.checkpoints.metadata import ModelMetadata
from bodypix.checkpoints.options import LoadOptions
from bodypix.checkpoints.store import resolve, resolve_name
from bodypix.decoding.masks import person_mask, person_probability
from bodypix.decoding.parts import part_map
from bodypix.engine import Engine, Heads
from bodypix.errors import InvalidArgumentError
from bodypix.geometry import InternalResolution
from bodypix.images import ImageLike, check_several
from bodypix.options import InferenceOptions, Matching, path_text
from bodypix.people import PEOPLE_HEADS, POSE_HEADS, assign_people, find_poses, parts_of
from bodypix.results import PartSegmentation, PersonSegmentation, Pose
from bodypix.sources import Source, prepare, run

# The part on the other side of the body; the last entry, reached by index -1, is nobody's.
MIRRORED_PARTS: Final = np.array([*body.MIRRORED_PARTS, -1], np.int32)


def load(
    name: str | os.PathLike[str] | None = None,
    *,
    architecture: str | None = None,
    output_stride: int | None = None,
    multiplier: float | None = None,
    quant_bytes: int | None = None,
    model_url: str | None = None,
    device: str = "auto",
    threads: int | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    offline: bool | None = None,
) -> BodyPix:
    """Load a model: without arguments the one that is inside the package, which needs no network.

    Args:
        name: a built-in or published model (`bodypix models list` shows them), or the path of a
            bodypix `.onnx` file or a tfjs `model.json`.
        architecture: "MobileNetV1" or "ResNet50". This and the next three choose one of the
            checkpoints published for the JavaScript original, fetched once and then cached.
        output_stride: 8, 16 or 32 (ResNet50: 16 or 32).
        multiplier: 0.5, 0.75 or 1.0 (ResNet50: 1.0).
        quant_bytes: 4, 2 or 1 bytes for each weight.
        model_url: path or address of a tfjs `model.json` or a bodypix `.onnx` of your own.
        device: "auto", "cpu", "cuda", "directml", "coreml", ...; a device asked for by name must
            be there, "auto" falls back to the CPU. `model.device` tells what is used.
        threads: CPU threads; None: one for each core.
        cache_dir: folder of fetched models; default $BODYPIX_CACHE, else the system's.
        offline: never fetch; default $BODYPIX_OFFLINE.

    Raises:
        InvalidArgumentError: options out of range or that exclude each other.
        CheckpointError: the model cannot be had (also DownloadError, OfflineError, ChecksumError).
        DeviceError: the device is not there.

    >>> model = bodypix.load()                                          # doctest: +SKIP
    >>> model = bodypix.load(architecture="MobileNetV1", multiplier=0.75)  # doctest: +SKIP
    """
    choice = (architecture, output_stride, multiplier, quant_bytes, model_url)
    chosen = any(value is not None for value in choice)
    cache = None if cache_dir is None else path_text("cache_dir", cache_dir)
    given = None if name is None else path_text("name", name)
    if given is not None and chosen:
        raise InvalidArgumentError(
            f"name: expected no name beside architecture, output_stride, multiplier, quant_bytes "
            f"or model_url, got {given!r}; give one or the other."
        )
    if given is not None and PurePath(given).suffix.lower() in (".onnx", ".json"):
        options = LoadOptions.from_arguments(model_url=given)
        path = resolve(options, cache_dir=cache, offline=offline)
    elif chosen:
        path = resolve(LoadOptions.from_arguments(*choice), cache_dir=cache, offline=offline)
    else:
        path = resolve_name(given, cache_dir=cache, offline=offline)
    return BodyPix(Engine(path, device=device, threads=threads))


@dataclass(frozen=True)
class _Several:
    """The people of one image; masks lie in the segmented picture, poses in the given image."""

    source: Source
    heads: Heads
    mask: NDArray[np.uint8]
    masks: list[NDArray[np.uint8]]
    poses: list[Pose]
    all_poses: Callable[[], list[Pose]]


class BodyPix:
    """A loaded model. Made by `load`; its methods may be called from several threads at once.

    Images are (H, W, 3) uint8 RGB arrays, PIL images, or paths; `bodypix.images` says what else is
    understood. Every answer has the height and width of its image.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def info(self) -> ModelMetadata:
        """Name, version, architecture, stride, licence ... of the model."""
        return self._engine.metadata

    @property
    def device(self) -> str:
        """What the network really runs on: "cpu", "cuda", ..."""
        return self._engine.device

    @property
    def providers(self) -> tuple[str, ...]:
        """onnxruntime's execution providers in use, first choice first."""
        return self._engine.providers

    @property
    def threads(self) -> int | None:
        """CPU threads; None where onnxruntime chooses."""
        return self._engine.threads

    def with_output_stride(self, stride: int) -> BodyPix:
        """The same weights with another output stride: 8 (finer, slower), 16 or 32 (faster).

        Made by dilation, as BodyPix 1 did for each call; the model itself stays as it is. Our own
        models keep their fine masks: 8 makes them a little better in twice the time, 32 makes only
        the grid of their poses coarser and saves nothing.

        Raises:
            InvalidArgumentError: a stride other than 8, 16, 32, or a ResNet50.
            CheckpointError: a graph of your own that is no plain chain of convolutions.
        """
        engine = self._engine.with_output_stride(stride)
        return self if engine is self._engine else BodyPix(engine)

    def segment_person(
        self,
        image: ImageLike,
        *,
        internal_resolution: InternalResolution = "medium",
        segmentation_threshold: float = 0.7,
        flip_horizontal: bool = False,
        max_detections: int = 10,
        score_threshold: float = 0.4,
        nms_radius: float = 20.0,
    ) -> PersonSegmentation:
        """One mask for all people in the image.

        Args:
            image: array, PIL image or path.
            internal_resolution: "low", "medium", "high", "full", or the share of the image's size
                (0.1..2.0) at which the network works.
            segmentation_threshold: 0..1; person pixels have a probability strictly above it.
            flip_horizontal: segment the mirrored image. Answers are in the given image's frame,
                left and right are the person's own. (The original documents this and ignores it.)
            max_detections: for `all_poses`: at most so many, at least 1.
            score_threshold: for `all_poses`: 0..1, least score of a pose's root keypoint.
            nms_radius: for `all_poses`: above 0, network pixels between two poses' roots.

        Raises:
            ImageError: the image cannot be used.
            InvalidArgumentError: an option is out of range.
        """
        options = InferenceOptions(
            internal_resolution=internal_resolution,
            segmentation_threshold=segmentation_threshold,
            flip_horizontal=flip_horizontal,
            max_detections=max_detections,
            score_threshold=score_threshold,
            nms_radius=nms_radius,
        )
        return self._people(prepare([image], options, self.info), options)[0]

    def segment_person_parts(
        self,
        image: ImageLike,
        *,
        internal_resolution: InternalResolution = "medium",
        segmentation_threshold: float = 0.7,
        flip_horizontal: bool = False,
        max_detections: int = 10,
        score_threshold: float = 0.4,
        nms_radius: float = 20.0,
    ) -> PartSegmentation:
        """One map of the 24 body parts for all people in the image.

        Every person pixel gets its likeliest part, however unlikely; there is no threshold for
        parts. Arguments and errors are those of `segment_person`.
        """
        options = InferenceOptions(
            internal_resolution=internal_resolution,
            segmentation_threshold=segmentation_threshold,
            flip_horizontal=flip_horizontal,
            max_detections=max_detections,
            score_threshold=score_threshold,
            nms_radius=nms_radius,
        )
        return self._part_maps(prepare([image], options, self.info), options)[0]

    def segment_multi_person(
        self,
        image: ImageLike,
        *,
        internal_resolution: InternalResolution = "medium",
        segmentation_threshold: float = 0.7,
        flip_horizontal: bool = False,
        max_detections: int = 10,
        score_threshold: float = 0.4,
        nms_radius: float = 20.0,
        min_keypoint_score: float = 0.3,
        refine_steps: int = 10,
        matching: Matching = "all",
    ) -> list[PersonSegmentation]:
        """One mask for each person, with the person's pose; an empty list where nobody is.

        People are found by their poses, in the order of decoding (best keypoint first). Every
        pixel of the mask of `segment_person` goes to at most one of them. A person whose pixels
        all went to others has an empty mask.

        Args:
            score_threshold: 0..1; least score of a pose's root keypoint, and of the pose itself.
            min_keypoint_score: 0..1; only keypoints above it help pixels to find their person.
            refine_steps: 1..20; how often a pixel's way to its person's keypoints is refined.
            matching: "all" goes by 17 keypoints; "face" does what the original does without
                WebGL: it goes by five, whatever `min_keypoint_score` says; slower and coarser.

        The other arguments, and errors, are those of `segment_person`.
        """
        options = InferenceOptions(
            internal_resolution=internal_resolution,
            segmentation_threshold=segmentation_threshold,
            flip_horizontal=flip_horizontal,
            max_detections=max_detections,
            score_threshold=score_threshold,
            nms_radius=nms_radius,
            min_keypoint_score=min_keypoint_score,
            refine_steps=refine_steps,
            matching=matching,
        )
        people = self._several(image, options, ())
        return [
            PersonSegmentation(people.source.unflip(mask), pose=pose, all_poses=people.all_poses)
            for pose, mask in zip(people.poses, people.masks, strict=True)
        ]

    def segment_multi_person_parts(
        self,
        image: ImageLike,
        *,
        internal_resolution: InternalResolution = "medium",
        segmentation_threshold: float = 0.7,
        flip_horizontal: bool = False,
        max_detections: int = 10,
        score_threshold: float = 0.4,
        nms_radius: float = 20.0,
        min_keypoint_score: float = 0.3,
        refine_steps: int = 10,
        matching: Matching = "all",
    ) -> list[PartSegmentation]:
        """One map of the 24 body parts for each person, with the person's pose.

        The part map of `segment_person_parts`, dealt out as in `segment_multi_person`, which
        explains arguments and errors.
        """
        options = InferenceOptions(
            internal_resolution=internal_resolution,
            segmentation_threshold=segmentation_threshold,
            flip_horizontal=flip_horizontal,
            max_detections=max_detections,
            score_threshold=score_threshold,
            nms_radius=nms_radius,
            min_keypoint_score=min_keypoint_score,
            refine_steps=refine_steps,
            matching=matching,
        )
        people = self._several(image, options, (self.info.parts_head,))
        if not people.poses:
            return []
        parts = self._parts(people.heads, people.mask, people.source)
        own_parts = (parts_of(parts, people.source.unflip(mask)) for mask in people.masks)
        return [
            PartSegmentation(own, pose=pose, all_poses=people.all_poses)
            for pose, own in zip(people.poses, own_parts, strict=True)
        ]

    def segment_batch(
        self,
        images: Sequence[ImageLike],
        *,
        parts: bool = False,
        internal_resolution: InternalResolution = "medium",
        segmentation_threshold: float = 0.7,
        flip_horizontal: bool = False,
        max_detections: int = 10,
        score_threshold: float = 0.4,
        nms_radius: float = 20.0,
    ) -> list[PersonSegmentation] | list[PartSegmentation]:
        """Segment several images of one size in a single run of the network.

        Args:
            images: a list of images of one height and width, or an (N, H, W, 3) uint8 array; may
                be empty.
            parts: part maps (as `segment_person_parts`) instead of masks (as `segment_person`).

        The other arguments, and errors, are those of `segment_person`.

        Raises:
            ImageError: an image cannot be used, or differs in size from the first.
            InvalidArgumentError: a single image.
        """
        check_several("images", images, "for one use segment_person or segment_person_parts")
        options = InferenceOptions(
            internal_resolution=internal_resolution,
            segmentation_threshold=segmentation_threshold,
            flip_horizontal=flip_horizontal,
            max_detections=max_detections,
            score_threshold=score_threshold,
            nms_radius=nms_radius,
        )
        sources = prepare(images, options, self.info)
        return self._part_maps(sources, options) if parts else self._people(sources, options)

    def _heads(
        self, image: ImageLike, names: Sequence[str], internal_resolution: InternalResolution
    ) -> Heads:
        """Raw heads of one image, as they come out of the network."""
        options = InferenceOptions(internal_resolution=internal_resolution)
        return run(self._engine, prepare([image], options, self.info), names)[0]

    def _people(
        self, sources: Sequence[Source], options: InferenceOptions
    ) -> list[PersonSegmentation]:
        head = self.info.person_head
        return [
            PersonSegmentation(
                source.unflip(self._mask(heads, options)),
                probability=self._probability(heads, source, options),
                all_poses=partial(self._all_poses, source, options),
            )
            for source, heads in zip(sources, run(self._engine, sources, (head,)), strict=True)
        ]

    def _part_maps(
        self, sources: Sequence[Source], options: InferenceOptions
    ) -> list[PartSegmentation]:
        names = (self.info.person_head, self.info.parts_head)
        return [
            PartSegmentation(
                self._parts(heads, self._mask(heads, options), source),
                probability=self._probability(heads, source, options),
                all_poses=partial(self._all_poses, source, options),
            )
            for source, heads in zip(sources, run(self._engine, sources, names), strict=True)
        ]

    def _mask(self, heads: Heads, options: InferenceOptions) -> NDArray[np.uint8]:
        logits = heads.arrays[self.info.person_head][..., 0]
        return person_mask(logits, heads.frame, options.segmentation_threshold)

    def _parts(self, heads: Heads, mask: NDArray[np.uint8], source: Source) -> NDArray[np.int32]:
        parts = part_map(heads.arrays[self.info.parts_head], mask, heads.frame)
        return MIRRORED_PARTS[source.unflip(parts)] if source.flipped else parts

    def _probability(
        self, heads: Heads, source: Source, options: InferenceOptions
    ) -> Callable[[], NDArray[np.float32]]:
        logits = heads.arrays[self.info.person_head][..., 0]  # the other heads are let go
        make = partial(person_probability, logits, source.frame, options.segmentation_threshold)
        return lambda: source.unflip(make())

    def _several(
        self, image: ImageLike, options: InferenceOptions, more_heads: Sequence[str]
    ) -> _Several:
        """The poses of an image that are people, and the pixels of each."""
        (source,) = prepare([image], options, self.info)
        names = (self.info.person_head, *PEOPLE_HEADS, *more_heads)
        (heads,) = run(self._engine, [source], names)
        found = find_poses(heads, options)
        poses = found.poses(options.score_threshold)
        mask = self._mask(heads, options)
        return _Several(
            source,
            heads,
            mask,
            assign_people(heads, mask, poses, options),
            source.unflip_poses(poses),
            lambda: source.unflip_poses(found.poses()),
        )

    def _all_poses(self, source: Source, options: InferenceOptions) -> list[Pose]:
        """All poses of an image, in image pixels of the given image's frame."""
        heads = run(self._engine, [source], POSE_HEADS)[0]
        return source.unflip_poses(find_poses(heads, options).poses())
