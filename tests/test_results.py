"""What calls return."""

from __future__ import annotations

import gc
import json
import pickle
import sys
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest

from bodypix import body
from bodypix.errors import (
    BodyPixError,
    ImageError,
    InvalidArgumentError,
    MissingExtraError,
    OutputError,
)
from bodypix.exports import encode_rle
from bodypix.results import Keypoint, PartSegmentation, PersonSegmentation, Pose


def pose(score: float = 0.8) -> Pose:
    return Pose(
        score,
        [Keypoint(name, i, 2 * i, i / 20) for i, name in enumerate(body.KEYPOINT_NAMES)],
    )


def person(**more: object) -> PersonSegmentation:
    mask = np.zeros((6, 8), np.uint8)
    mask[2:5, 3:7] = 1
    return PersonSegmentation(mask, **more)  # type: ignore[arg-type]


def parts(**more: object) -> PartSegmentation:
    part_ids = np.full((6, 8), -1, np.int32)
    part_ids[2:5, 3:5] = 10
    part_ids[2:5, 5:7] = 23
    return PartSegmentation(part_ids, **more)  # type: ignore[arg-type]


def test_pose_arrays() -> None:
    assert pose().positions.shape == (17, 2)
    assert pose().positions[3].tolist() == [3.0, 6.0]
    assert pose().scores.shape == (17,)
    assert pose().keypoint("leftWrist") == pose().keypoints[9]


def test_pose_needs_17_keypoints() -> None:
    with pytest.raises(InvalidArgumentError, match="keypoints: expected 17, got 2"):
        Pose(1.0, pose().keypoints[:2])


def test_person() -> None:
    result = person(pose=pose())
    assert (result.height, result.width) == (6, 8)
    assert result.box == (3, 2, 4, 3)
    assert result.pose == pose()
    assert result.probability is None
    assert result.all_poses == []
    assert repr(result) == "PersonSegmentation(8x6, 12 person pixels)"


def test_empty_mask_has_no_box() -> None:
    assert PersonSegmentation(np.zeros((3, 4), np.uint8)).box is None


def test_parts() -> None:
    result = parts()
    assert result.mask.dtype == np.uint8
    np.testing.assert_array_equal(result.mask, person().mask)
    assert result.box == (3, 2, 4, 3)
    assert result.parts == ["left_hand", "right_feet"]
    assert result.part("left_hand").sum() == 6
    assert result.part("right_foot", 10).sum() == 12
    assert result.part("torso_back").sum() == 0
    assert repr(result) == "PartSegmentation(8x6, parts: left_hand, right_feet)"


@pytest.mark.parametrize("names", [("hand",), (24,), ("left_hand", "hand")])
def test_unknown_part(names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidArgumentError, match="part: expected"):
        parts().part(*names)


def test_no_part_at_all() -> None:
    with pytest.raises(InvalidArgumentError, match="at least one"):
        parts().part()


@pytest.mark.parametrize(
    ("kind", "array"),
    [
        (PersonSegmentation, np.zeros((3, 4), bool)),
        (PersonSegmentation, np.zeros((3, 4, 1), np.uint8)),
        (PersonSegmentation, [[0, 1]]),
        (PartSegmentation, np.zeros((3, 4), np.int64)),
        (PartSegmentation, np.zeros(12, np.int32)),
    ],
)
def test_wrong_arrays_are_refused(kind: type, array: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"expected (uint8|int32) of shape \(H, W\)"):
        kind(array)


def test_masks_as_image_files_hold_them(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    person().save(path)
    again = PersonSegmentation(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
    np.testing.assert_array_equal(again.mask, person().mask)
    image = np.zeros((6, 8, 3), np.uint8)
    np.testing.assert_array_equal(again.cutout(image), person().cutout(image))


@pytest.mark.parametrize("values", [[0, 2], [0, 128, 255], [1, 254]])
def test_values_that_are_no_mask(values: list[int]) -> None:
    with pytest.raises(InvalidArgumentError, match="mask: expected 0 and 1, or 0 and 255; got"):
        PersonSegmentation(np.array([values], np.uint8))


@pytest.mark.parametrize("value", [-2, 24, 300])
def test_part_ids_out_of_range(value: int) -> None:
    with pytest.raises(InvalidArgumentError, match=rf"to 23; got {value} to {value}\."):
        PartSegmentation(np.full((2, 2), value, np.int32))


def test_images_without_pixels() -> None:
    assert PersonSegmentation(np.zeros((0, 4), np.uint8)).box is None
    assert PartSegmentation(np.zeros((0, 4), np.int32)).parts == []


def test_lazy_values_are_made_once_and_only_when_read() -> None:
    calls: list[str] = []

    def probability() -> np.ndarray:
        calls.append("probability")
        return np.full((6, 8), 0.5, np.float32)

    def poses() -> list[Pose]:
        calls.append("poses")
        return [pose()]

    result = person(probability=probability, all_poses=poses)
    assert result.mask.any()
    assert calls == []
    assert result.probability is result.probability
    assert result.all_poses == result.all_poses == [pose()]
    assert calls == ["probability", "poses"]


@pytest.mark.parametrize("make", [person, parts])
def test_pickle_works_out_what_is_lazy(make: object) -> None:
    lazy = make(probability=lambda: np.full((6, 8), 0.5, np.float32), all_poses=lambda: [pose()])  # type: ignore[operator]
    copy = pickle.loads(pickle.dumps(lazy))
    np.testing.assert_array_equal(copy.mask, lazy.mask)
    np.testing.assert_array_equal(copy.probability, lazy.probability)
    assert copy.all_poses == [pose()]
    plain = pickle.loads(pickle.dumps(make()))  # type: ignore[operator]
    assert plain.probability is None
    assert plain.all_poses == []


def test_cutout() -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    cut = person().cutout(image)
    assert cut.shape == (6, 8, 4)
    assert cut.dtype == np.uint8
    np.testing.assert_array_equal(cut[..., :3], image)
    np.testing.assert_array_equal(cut[..., 3], person().mask * 255)
    half = person(probability=np.full((6, 8), 0.5, np.float32)).cutout(image, soft=True)
    assert (half[..., 3] == 128).all()


def test_cutout_of_paths_and_grey_images(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 8), np.uint8)
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), image)
    expected = person().cutout(np.dstack([image] * 3))
    for same in (image, path, str(path)):
        np.testing.assert_array_equal(person().cutout(same), expected)


def test_cutout_of_pil_images() -> None:
    pil = pytest.importorskip("PIL.Image")
    image = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
    np.testing.assert_array_equal(person().cutout(pil.fromarray(image)), person().cutout(image))


def test_cutout_of_another_image() -> None:
    with pytest.raises(ImageError, match="image: expected the size of the mask, 8x6; got 6x8"):
        person().cutout(np.zeros((8, 6, 3), np.uint8))
    with pytest.raises(ImageError, match="image: expected"):
        person().cutout(None)  # type: ignore[arg-type]


def test_soft_cutout_without_probability() -> None:
    with pytest.raises(InvalidArgumentError, match="soft"):
        person().cutout(np.zeros((6, 8, 3), np.uint8), soft=True)


def test_save_png(tmp_path: Path) -> None:
    person().save(tmp_path / "person.png")
    saved = cv2.imread(str(tmp_path / "person.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(saved, person().mask * 255)
    parts().save(str(tmp_path / "parts.PNG"))
    saved = cv2.imread(str(tmp_path / "parts.PNG"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(saved.astype(int) - 1, parts().part_ids)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts.PNG", "person.png"]


def test_save_arrays(tmp_path: Path) -> None:
    parts().save(tmp_path / "ids.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "ids.npy"), parts().part_ids)
    probability = np.full((6, 8), 0.25, np.float32)
    person(probability=probability).save(tmp_path / "both.npz")
    with np.load(tmp_path / "both.npz") as saved:
        np.testing.assert_array_equal(saved["mask"], person().mask)
        np.testing.assert_array_equal(saved["probability"], probability)
    person().save(tmp_path / "one.npz")
    with np.load(tmp_path / "one.npz") as saved:
        assert saved.files == ["mask"]


def test_save_refuses_other_suffixes(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"\.png, \.npy or \.npz"):
        person().save(tmp_path / "mask.jpg")
    assert not list(tmp_path.iterdir())


def test_save_into_nowhere(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write") as caught:
        person().save(tmp_path / "missing" / "mask.png")
    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value, BodyPixError)


def masks() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    noise = [
        (rng.random((int(h), int(w))) < share).astype(np.uint8)
        for h, w, share in zip(
            rng.integers(1, 90, 40), rng.integers(1, 90, 40), rng.random(40), strict=True
        )
    ]
    blob = cv2.circle(np.zeros((480, 640), np.uint8), (300, 200), 150, 1, -1)
    full, empty = np.ones((70, 50), np.uint8), np.zeros((70, 50), np.uint8)
    return [*noise, blob, full, empty, np.ones((1, 1), np.uint8), np.zeros((1, 1), np.uint8)]


def decode_rle(rle: dict[str, object]) -> np.ndarray:
    """COCO's `rleFrString`, straight from its C."""
    counts: list[int] = []
    text = str(rle["counts"])
    position = 0
    while position < len(text):
        value, shift, more = 0, 0, True
        while more:
            code = ord(text[position]) - 48
            value |= (code & 0x1F) << (5 * shift)
            more = bool(code & 0x20)
            position += 1
            shift += 1
            if not more and code & 0x10:
                value |= -1 << (5 * shift)
        if len(counts) > 2:
            value += counts[-2]
        counts.append(value)
    height, width = rle["size"]  # type: ignore[misc]
    flat = np.repeat(np.arange(len(counts)) % 2, counts)
    return flat.reshape(width, height).T


def test_rle_round_trip() -> None:
    for mask in masks():
        np.testing.assert_array_equal(decode_rle(encode_rle(mask)), mask)  # type: ignore[arg-type]


def test_rle_is_that_of_pycocotools() -> None:
    coco = pytest.importorskip("pycocotools.mask")
    for mask in masks():
        ours = encode_rle(mask)
        theirs = coco.encode(np.asfortranarray(mask))
        assert ours["counts"] == theirs["counts"].decode()
        assert ours["size"] == theirs["size"]
        np.testing.assert_array_equal(coco.decode(ours), mask)


def test_rle_of_results_is_json() -> None:
    assert json.loads(json.dumps(person().to_rle()))["size"] == [6, 8]
    assert parts().to_rle() == person().to_rle()
    assert parts().to_rle("left_hand") == encode_rle(parts().part("left_hand"))


def test_supervision_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(MissingExtraError, match="pip install supervision") as caught:
        person().to_supervision()
    assert isinstance(caught.value, ImportError)


@pytest.mark.filterwarnings("ignore")
def test_supervision() -> None:
    pytest.importorskip("supervision")
    one = person(pose=pose()).to_supervision()
    assert one.xyxy.tolist() == [[3, 2, 6, 4]]
    assert one.mask.shape == (1, 6, 8)
    assert one.class_id.tolist() == [0]
    assert one.confidence.tolist() == [0.8]
    two = parts().to_supervision()
    assert two.class_id.tolist() == [10, 23]
    assert two.data["class_name"].tolist() == ["left_hand", "right_feet"]
    assert two.confidence is None
    assert len(PersonSegmentation(np.zeros((6, 8), np.uint8)).to_supervision()) == 0


@pytest.mark.parametrize("make", [person, parts])
def test_results_leave_at_once(make: object) -> None:
    """A cycle would keep their megabytes until the garbage collector runs."""
    gc.disable()
    try:
        result = make(probability=lambda: np.zeros((6, 8), np.float32), all_poses=lambda: [pose()])  # type: ignore[operator]
        assert result.mask is not None
        assert result.probability is not None
        gone = weakref.ref(result)
        del result
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("make", [person, parts])
def test_a_probability_of_another_shape(make) -> None:
    with pytest.raises(InvalidArgumentError, match="probability: expected the mask's shape"):
        make(probability=np.zeros((2, 2), np.float32))
