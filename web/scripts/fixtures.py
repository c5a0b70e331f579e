"""What Python answers, for the tests of the browser package: `python fixtures.py FOLDER`.

Writes `manifest.json` and one raw little-endian file for each array. Everything is made from the
built-in photo and the weights in the package, so nothing of it needs to be committed.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import bodypix
from bodypix import body, drawing
from bodypix.checkpoints.metadata import METADATA_KEY, read_metadata
from bodypix.checkpoints.onnx_format import prune, read_model, write_model
from bodypix.decoding.masks import person_mask, person_probability
from bodypix.decoding.parts import part_map
from bodypix.decoding.queue import queue_order
from bodypix.geometry import Frame
from bodypix.options import InferenceOptions
from bodypix.people import PEOPLE_HEADS, assign_people, find_poses
from bodypix.preprocessing import to_network_input
from bodypix.results import Pose
from bodypix.temporal import smoothing
from bodypix.temporal.cuts import is_cut, scene_of

Image = NDArray[np.uint8]


class Folder:
    """Collects facts and arrays."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._path.mkdir(parents=True, exist_ok=True)
        self._facts: dict[str, Any] = {}
        self._count = 0

    def array(self, values: NDArray[Any]) -> dict[str, Any]:
        """Store an array; the reference to it goes into the facts."""
        name = f"{self._count}.bin"
        self._count += 1
        plain = np.ascontiguousarray(values)
        plain.tofile(self._path / name)
        return {"file": name, "dtype": str(plain.dtype), "shape": list(plain.shape)}

    def add(self, key: str, value: Any) -> None:
        self._facts[key] = value

    def close(self) -> None:
        (self._path / "manifest.json").write_text(json.dumps(self._facts), encoding="utf-8")


def astronaut() -> Image:
    with as_file(files("bodypix") / "assets" / "astronaut.jpg") as path:
        image = cv2.imread(str(path))
    assert image is not None
    return np.asarray(image[..., ::-1], np.uint8)


def pictures() -> dict[str, Image]:
    """Shapes that need padding at the sides, above, and not at all; one and several people."""
    photo = astronaut()
    group = np.full((480, 640, 3), 90, np.uint8)
    for left, top, side in ((0, 80, 300), (200, 180, 300), (380, 20, 260)):
        group[top : top + side, left : left + side] = cv2.resize(
            photo, (side, side), interpolation=cv2.INTER_AREA
        )[: 480 - top, : 640 - left]
    return {
        "webcam": cv2.resize(photo, (640, 480), interpolation=cv2.INTER_AREA),
        "tall": cv2.resize(photo, (241, 407), interpolation=cv2.INTER_AREA),
        "group": group,
        "tiny": cv2.resize(photo, (47, 33), interpolation=cv2.INTER_AREA),
    }


def pose_facts(poses: list[Pose]) -> list[dict[str, Any]]:
    return [
        {
            "score": pose.score,
            "keypoints": [[point.x, point.y, point.score] for point in pose.keypoints],
        }
        for pose in poses
    ]


def frame_facts(frame: Frame) -> dict[str, Any]:
    return {
        "height": frame.image_size[0],
        "width": frame.image_size[1],
        "inputHeight": frame.input_size[0],
        "inputWidth": frame.input_size[1],
        "padding": frame.padding._asdict(),
        "centred": frame.centred,
    }


def rgba(image: Image) -> Image:
    return np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])


def add_constants(out: Folder) -> None:
    out.add(
        "body",
        {
            "parts": body.PART_NAMES,
            "v1Parts": body.V1_PART_NAMES,
            "keypoints": body.KEYPOINT_NAMES,
            "edges": body.POSE_EDGES,
            "skeleton": body.SKELETON,
            "scales": body.COLOR_SCALES,
            "mirroredParts": body.MIRRORED_PARTS,
            "mirroredKeypoints": body.MIRRORED_KEYPOINTS,
            "v2ToV1": body.V2_TO_V1_PARTS,
        },
    )
    scores = np.array([0.5, 0.9, 0.9, 0.7, 0.9, 0.5, 0.9])
    out.add("queue", {"scores": scores.tolist(), "order": list(queue_order(scores))})


def add_frames(out: Folder) -> None:
    cases = []
    for size in ((480, 640), (73, 73), (861, 1049), (694, 309), (33, 47), (1, 1), (720, 1280)):
        for stride in (8, 16, 32):
            for resolution in ("low", "medium", "high", "full", 0.37, 1.3):
                frame = Frame.of(size, resolution, stride, centred=True)
                cases.append({"stride": stride, "resolution": resolution, **frame_facts(frame)})
    out.add("frames", cases)


def add_inputs(out: Folder) -> None:
    cases = []
    for name, image in pictures().items():
        for centred, preprocessing, flip in (
            (True, "mobilenet", False),
            (True, "mobilenet", True),
            (False, "mobilenet", False),
            (False, "resnet50", True),
        ):
            size = (image.shape[0], image.shape[1])
            frame = Frame.of(size, 0.6, 16, centred=centred)
            given = np.ascontiguousarray(image[:, ::-1]) if flip else image
            cases.append(
                {
                    "name": name,
                    "frame": frame_facts(frame),
                    "preprocessing": preprocessing,
                    "flip": flip,
                    "pixels": out.array(rgba(image)),
                    "expected": out.array(to_network_input(given, frame, preprocessing)),
                }
            )
    out.add("inputs", cases)


def add_decoding(out: Folder, model: bodypix.BodyPix) -> None:
    """Heads of the network and what is decoded from them, in both conventions."""
    fine = (model.info.person_head, model.info.parts_head)
    cases = []
    for name, image in pictures().items():
        for heads_names, centred in ((fine, True), (("segments", "part_heatmaps"), False)):
            wanted = (*heads_names, *PEOPLE_HEADS)
            heads = model._heads(image, wanted, "medium")
            frame = Frame(
                heads.frame.image_size, heads.frame.input_size, heads.frame.padding, centred
            )
            heads = type(heads)(heads.arrays, frame, heads.output_stride)
            options = InferenceOptions(segmentation_threshold=0.6, score_threshold=0.2)
            logits = heads.arrays[heads_names[0]][..., 0]
            mask = person_mask(logits, frame, options.segmentation_threshold).copy()
            found = find_poses(heads, options)
            poses = found.poses(options.score_threshold)
            owners = np.full(mask.shape, -1, np.int16)
            for index, own in enumerate(assign_people(heads, mask, poses, options)):
                owners[own > 0] = index
            cases.append(
                {
                    "name": name,
                    "frame": frame_facts(frame),
                    "stride": heads.output_stride,
                    "person": heads_names[0],
                    "parts": heads_names[1],
                    "heads": {key: out.array(value) for key, value in heads.arrays.items()},
                    "options": asdict(options),
                    "mask": out.array(mask),
                    "probability": out.array(person_probability(logits, frame, 0.6)),
                    "partMap": out.array(part_map(heads.arrays[heads_names[1]], mask, frame)),
                    "allPoses": pose_facts(found.poses()),
                    "poses": pose_facts(poses),
                    "owners": out.array(owners),
                }
            )
    out.add("decoding", cases)


def coarse_model() -> bytes:
    """The weights as a model without fine heads, which goes by the original's conventions."""
    with as_file(files("bodypix") / "weights" / "bodypix-mobilenet-050.onnx") as path:
        model = read_model(path)
    facts = replace(read_metadata(model), person_head="segments", parts_head="part_heatmaps")
    coarse = prune(model, ["segments", "part_heatmaps", *PEOPLE_HEADS])
    return write_model(replace(coarse, metadata={METADATA_KEY: facts.to_json()}))


def add_calls(out: Folder, key: str, model: bodypix.BodyPix) -> None:
    """Whole calls, pixels to answers."""
    cases = []
    for name, image in pictures().items():
        for flip in (False, True):
            options = {"flip_horizontal": flip, "score_threshold": 0.2}
            person = model.segment_person(image, **options)
            parts = model.segment_person_parts(image, **options)
            people = model.segment_multi_person(image, **options)
            people_parts = model.segment_multi_person_parts(image, **options)
            cases.append(
                {
                    "name": name,
                    "flip": flip,
                    "pixels": out.array(rgba(image)),
                    "person": out.array(person.mask),
                    "parts": out.array(parts.part_ids),
                    "allPoses": pose_facts(list(person.all_poses)),
                    "people": [out.array(one.mask) for one in people],
                    "peopleParts": [out.array(one.part_ids) for one in people_parts],
                    "poses": pose_facts([one.pose for one in people if one.pose is not None]),
                }
            )
    out.add(key, cases)


def add_masks(out: Folder, model: bodypix.BodyPix) -> None:
    image = pictures()["group"]
    person, parts = model.segment_person(image), model.segment_person_parts(image)
    red, clear = (255, 0, 0, 255), (0, 0, 0, 0)
    out.add(
        "masks",
        {
            "person": out.array(person.mask),
            "parts": out.array(parts.part_ids),
            "plain": out.array(drawing.to_mask(person, clear, (0, 0, 0, 255))),
            "contour": out.array(drawing.to_mask(person, red, clear, draw_contour=True)),
            "face": out.array(
                drawing.to_mask(parts, clear, red, draw_contour=True, foreground_ids=(0, 1))
            ),
            "colored": out.array(drawing.to_colored_part_mask(parts)),
            "warm": out.array(drawing.to_colored_part_mask(parts, "warm")),
        },
    )


def add_film(out: Folder) -> None:
    """A still camera, a moving one, a change of light, a cut: pictures and probabilities."""
    random = np.random.default_rng(7)
    photo = cv2.resize(astronaut(), (340, 256), interpolation=cv2.INTER_AREA)
    frames, cuts, state, scene = [], [], None, None
    for index in range(14):
        left = max(0, index - 3) if index < 9 else 0
        image = photo[:240, left : left + 320].astype(np.float32)
        if index == 7:
            image = image * 1.3
        if index >= 11:
            image = 255.0 - image[::-1]
        noise = random.normal(0, 2, image.shape)
        image = (image + noise).clip(0, 255).astype(np.uint8)
        y, x = np.indices((240, 320), np.float32)
        distance = np.hypot(x - 160 + 2 * left, y - 120) + 6 * random.normal()
        probability = (1 / (1 + np.exp((distance - 80) / 12))).astype(np.float32)
        if index == 5:
            probability[100:140, 140:180] = 0.1
        now = scene_of(image)
        cuts.append(scene is not None and is_cut(scene, now))
        scene = now
        state, answer = smoothing.smooth(state, probability, image)
        frames.append(
            {
                "pixels": out.array(rgba(image)),
                "probability": out.array(probability),
                "answer": out.array(answer),
                "frames": state.frames,
            }
        )
    out.add("film", {"frames": frames, "cuts": [bool(cut) for cut in cuts]})


def main() -> None:
    out = Folder(Path(sys.argv[1]))
    model = bodypix.load()
    add_constants(out)
    add_frames(out)
    add_inputs(out)
    add_decoding(out, model)
    add_calls(out, "calls", model)
    coarse = Path(sys.argv[1]) / "coarse.onnx"
    coarse.write_bytes(coarse_model())
    add_calls(out, "coarseCalls", bodypix.load(coarse))
    add_masks(out, model)
    add_film(out)
    out.close()


if __name__ == "__main__":
    main()
