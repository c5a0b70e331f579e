"""COCO-format JSON becomes samples: what it labels is taught, the rest is not, faults are named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from bodypix.body import KEYPOINT_NAMES
from bodypix_train.datasets.augment import crop_at
from bodypix_train.datasets.coco import read_coco
from bodypix_train.datasets.coco_people import read_people
from bodypix_train.datasets.coco_samples import read_coco_samples
from bodypix_train.datasets.lazy import Budget, LazyList
from bodypix_train.datasets.sample import Sample
from bodypix_train.recipe import Source, read_source
from bodypix_train.targets import STRIDE

HEIGHT, WIDTH = 120, 160
Json = dict[str, Any]


def square(left: float, top: float, right: float, bottom: float) -> list[float]:
    return [left, top, right, top, right, bottom, left, bottom]


def person(box: tuple[int, int, int, int], image: int = 1, **fields: Any) -> Json:
    """Somebody who fills a box (left, top, right, bottom); None takes a field away."""
    left, top, right, bottom = box
    label = {
        "image_id": image, "category_id": 1, "iscrowd": 0,
        "bbox": [left, top, right - left, bottom - top], "segmentation": [square(*box)],
    }  # fmt: skip
    return {name: value for name, value in {**label, **fields}.items() if value is not None}


def points(**named: tuple[int, int, int]) -> list[int]:
    """51 numbers, of which some keypoints are labelled."""
    return [v for name in KEYPOINT_NAMES for v in named.get(name, (0, 0, 0))]


def write(folder: Path, labels: list[Any], change: Callable[[Json], None] | None = None) -> None:
    """Pictures 1 to 3 and their JSON."""
    (folder / "images").mkdir(exist_ok=True)
    for number in (1, 2, 3):
        image = np.full((HEIGHT, WIDTH, 3), 50 * number, np.uint8)
        cv2.imwrite(str(folder / "images" / f"{number}.png"), image)
    data: Json = {
        "images": [
            {"id": n, "file_name": f"{n}.png", "height": HEIGHT, "width": WIDTH} for n in (1, 2, 3)
        ],
        "annotations": [
            {"id": i, **label} if isinstance(label, dict) else label
            for i, label in enumerate(labels, start=1)
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}],
    }
    if change:
        change(data)
    (folder / "people.json").write_text(json.dumps(data))


def read(folder: Path, **options: Any) -> LazyList[Sample]:
    return read_coco_samples(folder / "people.json", folder / "images", Budget(10**8), **options)


def at(grid: np.ndarray, x: float, y: float) -> np.ndarray:
    """A label grid's value at a pixel of the picture."""
    rows, columns = grid.shape[:2]
    return grid[round(y * (rows - 1) / (HEIGHT - 1)), round(x * (columns - 1) / (WIDTH - 1))]


def test_outlines_are_taught_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, [person((20, 30, 60, 90)), person((80, 10, 120, 50), category_id=2)])
    sample, empty, _ = read(tmp_path)
    assert sample.name == "1.png"
    assert sample.person.shape == (HEIGHT // 2 + 1, WIDTH // 2 + 1)
    assert [int(at(sample.person, *p)) for p in ((40, 60), (10, 60), (100, 30))] == [255, 0, 0]
    assert np.count_nonzero(sample.person > 127) * 4 == pytest.approx(40 * 60, rel=0.08)
    assert sample.trust.min() == 255
    assert sample.parts is sample.instances is sample.keypoints is None
    assert not sample.exact
    # Where nobody is, that is known of the parts and the poses as well.
    assert not empty.person.any()
    assert empty.parts is not None
    assert not empty.parts.any()
    assert empty.keypoints is not None
    assert empty.keypoints.shape == (0, 17, 3)
    assert not empty.instances.any()  # type: ignore[union-attr]


def test_crowds_are_not_trusted(tmp_path: Path) -> None:
    crowd = np.zeros((HEIGHT, WIDTH), np.uint8)
    crowd[20:100, 80:150] = 1
    rle = coco_mask.encode(np.asfortranarray(crowd))
    rle = {"size": rle["size"], "counts": rle["counts"].decode()}
    face = points(nose=(100, 60, 2), left_eye=(103, 57, 2))
    write(
        tmp_path,
        [
            person((80, 20, 150, 100), iscrowd=1, segmentation=rle),
            person((90, 50, 110, 90), keypoints=face),
        ],
    )
    sample = read(tmp_path)[0]
    assert [int(at(sample.trust, *p)) for p in ((130, 60), (100, 60), (40, 60))] == [0, 255, 255]
    assert at(sample.person, 100, 60) == 255
    assert sample.instances is not None
    assert [int(at(sample.instances, *p)) for p in ((130, 60), (100, 60), (40, 60))] == [2, 1, 0]
    assert sample.keypoints is not None
    assert sample.keypoints.shape == (2, 17, 3)
    assert not sample.keypoints[1].any()


def test_poses_are_taught_of_those_who_have_keypoints(tmp_path: Path) -> None:
    """The known one's wrist is taught, of the other one nothing, and of neither the ankle."""
    write(
        tmp_path,
        [
            person((10, 10, 60, 110), keypoints=points(left_wrist=(32, 48, 2))),
            person((90, 10, 150, 110), keypoints=points()),
        ],
    )
    sample = read(tmp_path)[0]
    identity = np.array([[1.0, 0, 0], [0, 1, 0]])
    targets = crop_at(sample, identity, 161, 0).poses
    assert targets is not None
    wrist, ankle = KEYPOINT_NAMES.index("left_wrist"), KEYPOINT_NAMES.index("left_ankle")
    assert targets["heatmaps"][3, 2, wrist] == 1
    weight = targets["heatmaps_weight"]
    known, other, background = (3, 2), (3, 7), (9, 9)
    assert [weight[(*cell, wrist)] for cell in (known, other, background)] == [1, 0, 1]
    assert [weight[(*cell, ankle)] for cell in (known, other, background)] == [0, 0, 1]
    assert targets["long_offsets_weight"][(*known, wrist)] == 1
    assert targets["long_offsets_weight"][(*other, wrist)] == 0
    assert targets["long_offsets"][6, 2, wrist] == 48 - 6 * STRIDE


def test_nobody_has_keypoints(tmp_path: Path) -> None:
    write(tmp_path, [person((10, 10, 60, 110), keypoints=points())])
    assert read(tmp_path)[0].keypoints is None


def test_keypoints_without_outlines(tmp_path: Path) -> None:
    arm = points(left_shoulder=(40, 40, 2), left_elbow=(40, 80, 2))
    write(tmp_path, [person((20, 20, 80, 100), segmentation=None, keypoints=arm)])
    sample = read(tmp_path)[0]
    inside, limb, outside = (70, 90), (40, 60), (120, 60)
    assert [int(at(sample.trust, *p)) for p in (inside, limb, outside)] == [0, 0, 255]
    assert sample.instances is not None
    assert [int(at(sample.instances, *p)) for p in (inside, limb, outside)] == [2, 1, 0]
    without = person((20, 20, 80, 100), segmentation=None, keypoints=arm, bbox=None)
    write(tmp_path, [without])
    again = read(tmp_path)[0]
    assert [int(at(again.trust, x, 60)) for x in (40, 49, 80)] == [0, 0, 255]


def test_the_smaller_outline_is_in_front(tmp_path: Path) -> None:
    nose = points(nose=(50, 50, 2))
    small, large = (40, 40, 60, 60), (10, 10, 110, 110)
    for order in ([small, large], [large, small]):
        write(tmp_path, [person(box, keypoints=nose) for box in order])
        instances = read(tmp_path)[0].instances
        assert instances is not None
        assert at(instances, 50, 50) == order.index(small) + 1


def test_names_decide_which_keypoint_it_is(tmp_path: Path) -> None:
    def change(data: Json) -> None:
        data["categories"] = [{"id": 7, "name": "Person", "keypoints": ["Right Wrist", "tail"]}]
        data["annotations"][0] |= {"category_id": 7, "keypoints": [30, 40, 2, 5, 6, 2]}

    write(tmp_path, [person((20, 30, 60, 90))], change)
    keypoints = read(tmp_path)[0].keypoints
    assert keypoints is not None
    wrist = KEYPOINT_NAMES.index("right_wrist")
    assert keypoints[0, wrist].tolist() == [30, 40, 2]
    assert not np.delete(keypoints[0], wrist, axis=0).any()


def test_faces_come_from_keypoints(tmp_path: Path) -> None:
    ears = points(left_ear=(60, 30, 2), right_ear=(40, 30, 2))
    write(tmp_path, [person((20, 10, 80, 110), keypoints=ears)])
    (face,) = read(tmp_path)[0].faces
    assert face.x == pytest.approx(50 / (WIDTH - 1))
    assert face.y == pytest.approx(30 / (HEIGHT - 1))
    assert face.diameter == pytest.approx(24 / WIDTH)


def test_large_pictures_are_made_smaller(tmp_path: Path) -> None:
    def change(data: Json) -> None:
        data["images"][0] |= {"height": 1280, "width": 2560}

    nose = points(nose=(1000, 600, 2))
    write(tmp_path, [person((800, 400, 1200, 1000), keypoints=nose)], change)
    cv2.imwrite(str(tmp_path / "images" / "1.png"), np.zeros((1280, 2560, 3), np.uint8))
    sample = read(tmp_path)[0]
    assert sample.image.shape == (640, 1280, 3)
    assert sample.person.shape == (321, 641)
    assert sample.keypoints is not None
    assert sample.keypoints[0, 0].tolist() == [499.75, 299.75, 2]  # the pixel's centre
    assert sample.person[150, 250] == 255


def test_pictures_may_be_turned_by_their_exif(tmp_path: Path) -> None:
    """The size in the JSON says whether the labels are of the stored or of the turned picture."""
    pillow = pytest.importorskip("PIL.Image")
    write(tmp_path, [person((20, 30, 60, 90))])
    stored = pillow.new("RGB", (WIDTH, HEIGHT))
    exif = pillow.Exif()
    exif[0x0112] = 6  # a quarter turn
    stored.save(tmp_path / "images" / "1.png", exif=exif)
    assert read(tmp_path)[0].image.shape == (HEIGHT, WIDTH, 3)
    data = json.loads((tmp_path / "people.json").read_text())
    data["images"][0] |= {"height": WIDTH, "width": HEIGHT}
    (tmp_path / "people.json").write_text(json.dumps(data))
    assert read(tmp_path)[0].image.shape == (WIDTH, HEIGHT, 3)


def no_file(data: Json) -> None:
    data["images"][1]["file_name"] = "gone.png"


def another_size(data: Json) -> None:
    data["images"][1]["width"] = 99


def no_size(data: Json) -> None:
    del data["images"][1]["width"]


def same_id(data: Json) -> None:
    data["images"][1]["id"] = 9
    data["images"].append({**data["images"][1], "file_name": "4.png"})


def same_file(data: Json) -> None:
    data["images"].append({**data["images"][1], "id": 9})


def no_place(data: Json) -> None:
    data["annotations"].append({"id": 9, "image_id": 2, "category_id": 1})


def no_category(data: Json) -> None:
    data["annotations"].append({**person((1, 1, 9, 9), image=2, category_id=None), "id": 9})


def short_rle(data: Json) -> None:
    rle = {"size": [HEIGHT, WIDTH], "counts": [5, 5]}
    data["annotations"].append({**person((1, 1, 9, 9), image=2, segmentation=rle), "id": 9})


def outline_elsewhere(data: Json) -> None:
    outline = [square(900, 900, 999, 999)]
    data["annotations"].append({**person((1, 1, 9, 9), image=2, segmentation=outline), "id": 9})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (no_file, "pictures without file, left out (1): gone.png"),
        (another_size, "2.png: expected 99x120 pixels as its labels have, got 160x120, left out"),
        (no_size, "pictures without id, height or width, left out (1): 2.png"),
        (same_id, "pictures that share their id or file, left out (2): 2.png, 4.png"),
        (same_file, "pictures that share their id or file, left out (2): 2.png, 2.png"),
        (no_place, "pictures with an annotation without category or place, left out (1): 2.png"),
        (no_category, "without category or place, left out (1): 2.png"),
        (outline_elsewhere, "2.png: outline: expected somebody around (1.0, 1.0, 9.0, 9.0), got"),
        (short_rle, "2.png: outline: RLE: expected 19200 pixels of [120, 160], got 10 of"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_bad_pictures_are_named_and_left_out(
    tmp_path: Path, change: Callable[[Json], None], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, [person((20, 30, 60, 90))], change)
    assert [sample.name for sample in read(tmp_path)] == ["1.png", "3.png"]
    assert message in caplog.text


def test_an_unreadable_picture_is_named_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, [])
    (tmp_path / "images" / "2.png").write_bytes(b"no picture")
    (tmp_path / "images" / "4.jpg").write_bytes(b"not in the JSON")
    assert [sample.name for sample in read(tmp_path)] == ["1.png", "3.png"]
    assert "2.png: unreadable picture, left out" in caplog.text
    assert "people.json: pictures that it does not name, left out (1): 4.jpg" in caplog.text


def test_annotations_that_cannot_be_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(
        tmp_path,
        [
            person((20, 30, 60, 90), segmentation=[[1, 2, 3]]),
            person((20, 30, 60, 90), image=2, keypoints=[1, 2, 3]),
            person((20, 30, 60, 90), image=8),
            "no annotation",
            person((100, 30, 140, 90), image=3, segmentation=[square(*[float("nan")] * 4)]),
            person((20, 30, 60, 90), image=3, segmentation={"size": [9, 9], "counts": ["a"]}),
        ],
        lambda data: data["annotations"].append(dict(data["annotations"][1])),
    )
    first, second, third = read(tmp_path)
    assert [at(first.trust, 40, 60), at(first.trust, 100, 60)] == [0, 255]
    assert second.trust.min() == 255
    assert at(second.person, 40, 60) == 255
    assert second.keypoints is None
    assert at(third.trust, 120, 60) == 0
    for message in (
        "annotations with a broken outline, not taught in their boxes (3): 1, 5, 6",
        "annotations with broken keypoints, taken without (1): 2",
        "annotations of no picture, left out (2): 3, no annotation",
        "annotations that stand there twice, taken once (1): 2",
    ):
        assert message in caplog.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected COCO JSON with `images` and `annotations`"),
        ("[]", "expected COCO JSON with `images` and `annotations`"),
        ('{"images": []}', "expected COCO JSON with `images` and `annotations`"),
        ('{"images": {}, "annotations": []}', "`images` and `annotations` are lists"),
        ('{"images": [], "annotations": []}', "expected labels of pictures in .*, got none"),
        (
            '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "cat"}]}',
            "categories: expected one with the name person, got cat",
        ),
    ],
)
def test_json_that_is_none(tmp_path: Path, content: str, message: str) -> None:
    write(tmp_path, [])
    (tmp_path / "people.json").write_text(content)
    with pytest.raises(ValueError, match=f"people.json: .*{message}|people.json: {message}"):
        read(tmp_path)


def test_teachers_may_name_the_parts(tmp_path: Path) -> None:
    write(tmp_path, [person((20, 30, 60, 90))])
    parts = np.zeros((16, 21, 24), np.uint8)
    parts[4:11, 3:8, 12] = 200
    answers = tmp_path / "labels" / "images"
    answers.mkdir(parents=True)
    np.savez(answers / "1.npz", person=parts[..., 0], parts=parts)
    source = Source("coco", "images", 1.0, annotations="people.json", parts="teachers")
    sample = read_source(source, tmp_path, tmp_path / "labels", Budget(10**8))[0]
    assert np.array_equal(sample.parts, parts)
    assert read(tmp_path)[0].parts is None


@pytest.mark.parametrize(
    ("labels", "images"),
    [("coco-keypoints/test_coco.json", "coco-keypoints"),
     ("coco128/instances_person.json", "coco128/images")],
)  # fmt: skip
def test_real_sets(shared: Path, labels: str, images: str) -> None:
    """The masks are those that evaluation reads, and the keypoints lie on their people."""
    folder = shared / "data" / "eval"
    truth = {picture.path: picture for picture in read_coco(folder / labels, folder / images)}
    entries = read_people(folder / labels, folder / images)
    assert [entry.path for entry in entries] == list(truth)
    samples = read_coco_samples(folder / labels, folder / images, Budget(0))
    seen = on = 0
    for entry, sample in zip(entries[:20], samples, strict=False):
        mask = truth[entry.path].person_mask()
        fine = cv2.resize(sample.person, mask.shape[::-1]) > 127
        assert (fine != mask).mean() < 0.01
        if sample.keypoints is not None:
            assert sample.instances is not None
            for number, points_ in enumerate(sample.keypoints, start=1):
                for x, y, _ in points_[points_[:, 2] == 2]:
                    row, column = round(float(y) / 2), round(float(x) / 2)
                    around = sample.instances[max(row - 3, 0) :, max(column - 3, 0) :][:7, :7]
                    seen, on = seen + 1, on + (number in around)
    if "keypoints" in labels:
        assert seen > 100
        assert on / seen > 0.9
