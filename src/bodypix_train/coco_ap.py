"""COCO average precision of poses and of single people's masks, by pycocotools.

A model's answers are those of `segment_multi_person`; a person's score is the pose's, for the
mask as well. Choices that bear on the figures, the same for every model:

- The score threshold is `SCORE_THRESHOLD`, far below the library's default of 0.4, because
  average precision reads the whole curve from sure to unsure answers. It costs masks something:
  doubtful people take pixels from sure ones. With 0.4 the masks are those of the default.
- At most `MAX_PEOPLE` people a picture, which is COCO's limit for keypoints.
- A person without a pixel of their own is no answer for the masks, only for the poses.
- Where a set does not mark crowds, a person found in one counts as false.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from .datasets.coco import PERSON, CocoPicture, decode, read_coco
from .evalsets import read
from .tables import Table, number

if TYPE_CHECKING:
    from bodypix import BodyPix
    from bodypix.results import PersonSegmentation, Pose

SCORE_THRESHOLD = 0.05
MASK_THRESHOLD = 0.5
MAX_PEOPLE = 20

Kind = Literal["keypoints", "segm"]
Answers = list[dict[str, Any]]

# Set name -> (COCO-format JSON, folder of pictures, what is labelled), below the set's folder.
SETS: dict[str, tuple[str, str, tuple[Kind, ...]]] = {
    "coco-keypoints": ("test_coco.json", ".", ("keypoints", "segm")),
    "coco128": ("instances_person.json", "images", ("segm",)),
}
_ROW_NAMES: dict[Kind, str] = {"keypoints": "poses", "segm": "masks"}
_AR_INDEX: dict[Kind, int] = {"keypoints": 5, "segm": 8}  # place in COCOeval.stats


@dataclass(frozen=True)
class ApScore:
    """Scores from 0 to 1; None where no person of the set is labelled.

    ``ap`` and ``ar`` are means over the thresholds 0.50 to 0.95 of keypoint similarity (OKS) or
    of mask overlap (IoU), ``ap50`` and ``ap75`` hold at one threshold.
    """

    pictures: int
    people: int
    ap: float | None
    ap50: float | None
    ap75: float | None
    ar: float | None

    def summary(self) -> dict[str, float | None]:
        return asdict(self)


def coco_ap(
    model: BodyPix,
    root: Path,
    *,
    internal_resolution: Any = 1.0,
    score_threshold: float = SCORE_THRESHOLD,
) -> dict[str, ApScore]:
    """Scores of one model by row name, such as "coco-keypoints poses".

    Raises FileNotFoundError, ValueError on missing or misfit files.
    """
    scores = {}
    for name, (_, _, kinds) in SETS.items():
        pictures = list_pictures(root, name)
        found: dict[Kind, Answers] = {kind: [] for kind in kinds}
        for index, picture in enumerate(pictures, start=1):
            people = model.segment_multi_person(
                read_picture(picture),
                internal_resolution=internal_resolution,
                segmentation_threshold=MASK_THRESHOLD,
                max_detections=MAX_PEOPLE,
                score_threshold=score_threshold,
            )
            for kind in kinds:
                found[kind] += _answers(people, index, kind)
        for kind in kinds:
            scores[f"{name} {_ROW_NAMES[kind]}"] = average_precision(
                coco_truth(pictures, kind), found[kind], kind
            )
    return scores


def list_pictures(root: Path, name: str) -> list[CocoPicture]:
    """The pictures of a set. Raises FileNotFoundError, ValueError on missing or misfit files."""
    labels, images, _ = SETS[name]
    folder = root / name
    if not (folder / labels).is_file():
        raise FileNotFoundError(f"{folder}: expected {labels} and its pictures, found none")
    return list(read_coco(folder / labels, folder / images))


def read_picture(picture: CocoPicture) -> NDArray[np.uint8]:
    """(H, W, 3) RGB. Raises ValueError if it is not as large as its JSON says."""
    image = read(picture.path)
    if image.shape[:2] != (picture.height, picture.width):
        raise ValueError(
            f"{picture.path}: expected {(picture.height, picture.width)} pixels as the "
            f"JSON says, got {image.shape[:2]}"
        )
    return image


def pose_answer(pose: Pose, picture: int) -> dict[str, Any]:
    """A pose in COCO's results format."""
    points = np.column_stack((pose.positions, pose.scores)).ravel().tolist()
    return {"image_id": picture, "category_id": PERSON, "score": pose.score, "keypoints": points}


def _answers(people: Sequence[PersonSegmentation], picture: int, kind: Kind) -> Answers:
    """One picture's people in COCO's results format."""
    answers = []
    for person in people:
        if person.pose is None:
            raise ValueError("a person of segment_multi_person has no pose")
        if kind == "keypoints":
            answers.append(pose_answer(person.pose, picture))
        elif person.mask.any():
            answer = {"image_id": picture, "category_id": PERSON, "score": person.pose.score}
            answers.append(answer | {"segmentation": person.to_rle()})
    return answers


def coco_truth(pictures: Sequence[CocoPicture], kind: Kind) -> dict[str, Any]:
    """COCO JSON of the pictures, numbered from 1, with all the fields that COCOeval reads.

    What an annotation lacks is worked out from its mask (area, box) or means what COCO's tools
    take it for: no crowd, and without keypoints a person that neither helps nor harms.
    """
    labels: list[dict[str, Any]] = []
    for index, picture in enumerate(pictures, start=1):
        for annotation in picture.annotations:
            mask = decode(annotation["segmentation"], picture.height, picture.width)
            rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
            filled = {
                "area": float(coco_mask.area(rle)),
                "bbox": coco_mask.toBbox(rle).tolist(),
                "iscrowd": 0,
            } | annotation
            # COCOeval marks what has no match by the id 0, so ids begin at 1.
            filled |= {"id": len(labels) + 1, "image_id": index, "segmentation": rle}
            if kind == "keypoints":
                filled.setdefault("keypoints", [0] * 51)
                filled["num_keypoints"] = int(np.count_nonzero(filled["keypoints"][2::3]))
            labels.append(filled)
    images = [
        {"id": index, "height": picture.height, "width": picture.width}
        for index, picture in enumerate(pictures, start=1)
    ]
    return coco_json(images, labels)


def coco_json(images: list[dict[str, Any]], labels: list[dict[str, Any]]) -> dict[str, Any]:
    """COCO JSON of people only."""
    categories = [{"id": PERSON, "name": "person"}]
    return {"info": {}, "images": images, "annotations": labels, "categories": categories}


def average_precision(dataset: dict[str, Any], answers: Answers, kind: Kind) -> ApScore:
    """Judge answers to the pictures of a COCO JSON."""
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports every step
        truth = COCO()
        truth.dataset = dataset
        truth.createIndex()
        if answers:
            found = truth.loadRes(answers)
        else:  # which loadRes cannot take
            found = COCO()
            found.dataset = truth.dataset | {"annotations": []}
            found.createIndex()
        judge = COCOeval(truth, found, kind)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    labelled = [label for label in truth.dataset["annotations"] if not label["ignore"]]
    places = (0, 1, 2, _AR_INDEX[kind])
    # COCOeval writes -1 where there was nothing to find.
    ap, ap50, ap75, ar = (float(s) if s >= 0 else None for s in judge.stats[list(places)])
    return ApScore(len(dataset["images"]), len(labelled), ap, ap50, ap75, ar)


def table(scores: dict[str, dict[str, ApScore]]) -> Table:
    """A row a set and kind."""
    return Table.of(
        "set",
        scores,
        {
            "pictures": lambda score: str(score.pictures),
            "people": lambda score: str(score.people),
        },
        {
            "AP": lambda score: number(score.ap),
            "AP50": lambda score: number(score.ap50),
            "AP75": lambda score: number(score.ap75),
            "AR": lambda score: number(score.ar),
        },
    )
