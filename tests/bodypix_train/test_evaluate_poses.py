"""OKS and PCK on people whose keypoints are known."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bodypix.body import KEYPOINT_NAMES, KEYPOINTS
from bodypix.results import Keypoint, Pose
from bodypix_train.coco_ap import SCORE_THRESHOLD
from bodypix_train.evaluate import Settings
from bodypix_train.evaluate_poses import (
    SIGMAS,
    PosePicture,
    PoseScore,
    TruePose,
    evaluate_coco_poses,
    match,
    oks,
    pose_table,
    read_coco_poses,
)

AREA = 3200.0


def true_pose(x: float = 0, visible: float = 2, crowd: bool = False) -> TruePose:
    """A person 40 wide and 80 high, keypoints on the diagonal of the box."""
    points = np.linspace((x, 0), (x + 40, 80), KEYPOINTS)
    keypoints = np.column_stack((points, np.full(KEYPOINTS, visible)))
    return TruePose(keypoints, AREA, (x, 0, 40, 80), crowd)


def pose(x: float = 0, y: float = 0, score: float = 0.9) -> Pose:
    """The person's keypoints, so far away from where they are."""
    points = np.linspace((x, y), (x + 40, y + 80), KEYPOINTS)
    return Pose(
        score, [Keypoint(n, *p, score) for n, p in zip(KEYPOINT_NAMES, points, strict=True)]
    )


def picture(truths: list[TruePose], found: list[Pose]) -> PosePicture:
    return PosePicture("a", tuple(truths), tuple(found), lambda: np.zeros((9, 9, 3), np.uint8))


def test_similarity_is_cocos() -> None:
    from pycocotools.cocoeval import Params

    assert pytest.approx(Params("keypoints").kpt_oks_sigmas) == SIGMAS
    assert oks(true_pose(), pose().positions) == 1
    mean = np.mean([math.exp(-(5**2) / (2 * AREA * (2 * sigma) ** 2)) for sigma in SIGMAS])
    assert oks(true_pose(), pose(y=5).positions) == pytest.approx(mean)


def test_only_labelled_keypoints_count() -> None:
    truth = true_pose()
    truth.keypoints[5:, 2] = 0
    found = pose()
    wrong = Pose(0.9, [*found.keypoints[:5], *pose(x=500).keypoints[5:]])
    score = PoseScore((picture([truth], [wrong]),))
    assert (score.oks, score.pck) == (1.0, 1.0)


@pytest.mark.parametrize(("gap", "pck"), [(7.9, 1.0), (8.1, 0.0)])
def test_near_is_a_tenth_of_the_longer_side(gap: float, pck: float) -> None:
    assert PoseScore((picture([true_pose()], [pose(x=gap)]),)).pck == pck


def test_people_are_matched_one_to_one_by_similarity() -> None:
    truths = [true_pose(0), true_pose(20)]
    assert match(truths, [pose(18), pose(1)]) == {0: 1, 1: 0}
    # One pose cannot be both people, even if it is near both.
    assert match(truths, [pose(19)]) == {1: 0}
    half = PoseScore((picture(truths, [pose(20)]),))
    assert half.oks == 0.5
    assert half.pck == 0.5


def test_unsure_poses_count_for_precision_only() -> None:
    score = PoseScore((picture([true_pose()], [pose(score=0.3)]),))
    assert (score.oks, score.pck) == (0, 0)
    assert score.precision.ap == pytest.approx(1)


def test_crowds_and_people_without_keypoints_count_neither_way() -> None:
    others = [true_pose(100, visible=0), true_pose(200, crowd=True)]
    score = PoseScore((picture([true_pose(), *others], [pose()]),))
    assert (score.people, score.oks, score.pck) == (1, 1.0, 1.0)
    nobody = PoseScore((picture(others, []),))
    assert (nobody.people, nobody.oks, nobody.pck, nobody.precision.ap) == (0, None, None, None)
    assert pose_table("x", {"m": {"row": nobody}}).markdown().endswith("| – | – | – | – |")


def test_photos_of_coco_keypoints(shared: Path) -> None:
    """A model that knows the labels has full marks; what it is unsure of is not asked."""
    known = read_coco_poses(shared / "data" / "eval", "coco-keypoints")
    by_size: dict[tuple[int, ...], list[Pose]] = {}
    for photo, truths in known:
        by_size.setdefault((photo.height, photo.width), []).extend(
            Pose(
                0.9,
                [
                    Keypoint(name, float(x), float(y), 0.9)
                    for name, (x, y, _) in zip(KEYPOINT_NAMES, truth.keypoints, strict=True)
                ],
            )
            for truth in truths
            if truth.counts
        )

    class Knowing:
        def segment_person(self, image: np.ndarray, **options: object) -> SimpleNamespace:
            assert options["score_threshold"] == SCORE_THRESHOLD
            lowest = pose(score=SCORE_THRESHOLD / 2)
            return SimpleNamespace(all_poses=[*by_size[image.shape[:2]], lowest])

    found = evaluate_coco_poses({"m": Knowing()}, known, Settings())["m"]  # type: ignore[dict-item]
    score = PoseScore(tuple(found))
    assert score.people == 12
    assert score.oks == pytest.approx(1)
    assert score.pck == 1
    assert score.precision.ap50 == pytest.approx(1)
    assert all(len(p.found) == len(by_size[p.load().shape[:2]]) for p in found)
