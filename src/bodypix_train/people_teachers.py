"""MediaPipe's segmenters of people, which draw outlines better than BodyPix where they see one.

The selfie segmenter sees heads and upper bodies, the pose network one whole upright person. Both
are TFLite files; BodyPix tells them where to look, and decides where they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import TrainingError

Array = NDArray[np.float32]

SIDE = 256  # of both networks' input
MIN_SCORE = 0.3  # of keypoints that are believed
MIN_KEYPOINTS = 4
MIN_SIDE = 24  # pixels between the outermost keypoints: smaller people stay BodyPix's
MAX_PEOPLE = 10
AGREEMENT = 0.8  # of selfie segmenter and BodyPix, above which the first is believed everywhere
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_HIP, RIGHT_HIP = 5, 6, 11, 12


class Graph(Protocol):
    """A network of one picture, (side, side, 3) RGB, to its outputs without batch axis.

    The two networks here want 0..1 and a side of `SIDE`.
    """

    def __call__(self, image: Array) -> list[Array]: ...


class TfliteGraph:
    """A TFLite file on the processor, or what a file holds from byte ``begin`` on.

    Raises TrainingError where nothing can run it, or it is for pictures of another side.
    """

    def __init__(self, path: Path, threads: int = 2, side: int = SIDE, begin: int = 0) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise TrainingError(
                f'{path}: TFLite files need ai-edge-litert; pip install "bodypix[teachers]"'
            ) from error
        network = path.read_bytes()[begin:]
        self.interpreter = Interpreter(model_content=network, num_threads=threads)
        self.interpreter.allocate_tensors()
        (self.input,) = self.interpreter.get_input_details()
        if tuple(self.input["shape"]) != (1, side, side, 3):
            raise TrainingError(
                f"{path}: expected a network of pictures (1, {side}, {side}, 3),"
                f" got {tuple(map(int, self.input['shape']))}"
            )

    def __call__(self, image: Array) -> list[Array]:
        self.interpreter.set_tensor(self.input["index"], image[None].astype(np.float32))
        self.interpreter.invoke()
        outputs = self.interpreter.get_output_details()
        return [self.interpreter.get_tensor(output["index"])[0] for output in outputs]


class Remembered:
    """A graph that answers at once to what it has seen before; for one picture, then let go."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.answers: dict[bytes, list[Array]] = {}

    def __call__(self, image: Array) -> list[Array]:
        key = image.tobytes()
        if key not in self.answers:
            self.answers[key] = self.graph(image)
        return self.answers[key]


@dataclass(frozen=True)
class View:
    """Where to look for one person, image pixels and degrees.

    ``box`` x0, y0, x1, y1 is what the selfie segmenter is shown; the pose network sees the circle
    ``centre``, ``radius`` turned by ``angle``, so that the body stands upright.
    """

    box: tuple[int, int, int, int]
    centre: tuple[float, float]
    radius: float
    angle: float


def view_of(pose: NDArray[np.float64], size: tuple[int, int]) -> View | None:
    """Where to look for the person of a pose, (17, 3) of x, y, score; None if too little is seen.

    ``size`` is (H, W) of the picture. As MediaPipe does, the circle lies around the middle of the
    hips and holds every keypoint, with a quarter to spare.
    """
    seen = pose[:, 2] > MIN_SCORE
    if np.count_nonzero(seen) < MIN_KEYPOINTS:
        return None
    low, high = pose[seen, :2].min(0), pose[seen, :2].max(0)
    side = float((high - low).max())
    if side < MIN_SIDE:
        return None
    hips = pose[[LEFT_HIP, RIGHT_HIP], :2].mean(0)
    has_hips = seen[LEFT_HIP] or seen[RIGHT_HIP]
    centre = hips if has_hips else (low + high) / 2
    radius = 1.25 * float(np.linalg.norm(pose[seen, :2] - centre, axis=1).max()) + 0.1 * side
    angle = 0.0
    if has_hips and seen[LEFT_SHOULDER] and seen[RIGHT_SHOULDER]:
        right, down = pose[[LEFT_SHOULDER, RIGHT_SHOULDER], :2].mean(0) - hips
        angle = float(np.degrees(np.arctan2(right, -down)))
    margin = 0.35 * side + 8
    x0, y0 = np.maximum(low - margin, 0).astype(int)
    x1, y1 = np.minimum(high + margin, size[::-1]).astype(int)
    if x1 - x0 < 2 or y1 - y0 < 2:  # keypoints outside the picture
        return None
    return View(
        (int(x0), int(y0), int(x1), int(y1)), (float(centre[0]), float(centre[1])), radius, angle
    )


def upright(image: NDArray[np.uint8], view: View) -> tuple[Array, NDArray[np.float64]]:
    """What the pose network is shown, (SIDE, SIDE, 3) in 0..1, and the map (2, 3) to it."""
    matrix = cv2.getRotationMatrix2D(view.centre, view.angle, SIDE / (2 * view.radius))
    matrix[:, 2] += SIDE / 2 - np.array(view.centre)
    crop = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return crop.astype(np.float32) / 255, matrix  # type: ignore[return-value]


@dataclass(frozen=True)
class PeopleTeachers:
    """Refine a photo's person map; ``selfie`` and ``whole_body`` are the two networks."""

    selfie: Graph
    whole_body: Graph

    @classmethod
    def from_folder(cls, folder: Path, threads: int = 2) -> PeopleTeachers | None:
        """The two files by the names under which they are published; None if one is missing."""
        paths = [folder / "selfie_segmentation.tflite", folder / "pose_landmark_heavy.tflite"]
        if not all(path.exists() for path in paths):
            return None
        selfie, whole_body = (TfliteGraph(path, threads) for path in paths)
        return cls(selfie, whole_body)

    def refine(
        self, image: NDArray[np.uint8], person: Array, poses: Sequence[NDArray[np.float64]]
    ) -> Array:
        """The mean of BodyPix's ``person`` (H, W) and of these networks where they can judge.

        ``image`` (H, W, 3) RGB; ``poses`` (17, 3) of x, y, score in its pixels, best first.
        """
        near = self.upper_bodies(image, mirrored=True)
        both = np.count_nonzero((near > 0.5) & (person > 0.5))
        agree = both > AGREEMENT * np.count_nonzero((near > 0.5) | (person > 0.5))
        boxes = np.zeros(person.shape, bool)
        closer, bodies = np.zeros_like(person), np.zeros_like(person)
        views = [view_of(pose, person.shape) for pose in poses]  # type: ignore[arg-type]
        for view in [view for view in views if view is not None][:MAX_PEOPLE]:
            x0, y0, x1, y1 = view.box
            boxes[y0:y1, x0:x1] = True
            crop = self.upper_bodies(np.ascontiguousarray(image[y0:y1, x0:x1]))
            closer[y0:y1, x0:x1] = np.maximum(closer[y0:y1, x0:x1], crop)
            bodies = np.maximum(bodies, self.body(image, view))
        if agree:
            near = np.maximum(near, closer)
            three = (person + near + bodies) / 3
            return np.where(bodies > 0.5, three, (person + near) / 2).astype(np.float32)
        return np.where(boxes, (person + closer + bodies) / 3, person).astype(np.float32)

    def upper_bodies(self, image: NDArray[np.uint8], *, mirrored: bool = False) -> Array:
        """Person probability (H, W), of all who are near; with its mirror image's if wanted."""
        way = cv2.INTER_AREA if min(image.shape[:2]) > SIDE else cv2.INTER_LINEAR
        small = cv2.resize(image, (SIDE, SIDE), interpolation=way).astype(np.float32) / 255
        answer = self.selfie(small)[0][..., 0]
        if mirrored:
            answer = (answer + self.selfie(small[:, ::-1])[0][:, ::-1, 0]) / 2
        return cv2.resize(answer, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]

    def body(self, image: NDArray[np.uint8], view: View) -> Array:
        """Person probability (H, W) of the one in view; 0 everywhere if nobody is."""
        crop, matrix = upright(image, view)
        outputs = self.whole_body(crop)
        (score,) = (float(output[0]) for output in outputs if output.shape == (1,))
        (logits,) = (output[..., 0] for output in outputs if output.shape == (SIDE, SIDE, 1))
        if score <= 0.5:
            return np.zeros(image.shape[:2], np.float32)
        mask = 1 / (1 + np.exp(-logits))
        back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(mask, matrix, image.shape[1::-1], flags=back)  # type: ignore[return-value]
