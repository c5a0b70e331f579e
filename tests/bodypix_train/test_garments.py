"""What drawn garments say about parts: for labels, and as a measure."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from bodypix.body import PART_NAMES, PARTS
from bodypix_train.datasets.garments import ANY, CARRIED, GARMENTS, narrowed
from bodypix_train.datasets.lazy import Budget
from bodypix_train.datasets.photos import read_ccp
from bodypix_train.evaluate import Settings
from bodypix_train.evaluate_garments import GarmentScore, garment_scores
from bodypix_train.evaluation import Evaluation, Work, evaluate
from bodypix_train.report import write_report

PART = {name: index for index, name in enumerate(PART_NAMES)}
SHOES, HAIR, SKIN, T_SHIRT, BAG = 39, 19, 41, 51, 2


def shares(**parts: int) -> np.ndarray:
    """The same shares, of 255, in each of 9 x 9 cells."""
    grid = np.zeros((9, 9, PARTS), np.uint8)
    for name, share in parts.items():
        grid[..., PART[name]] = share
    return grid


def drawn(garment: int) -> np.ndarray:
    return np.full((64, 64), garment, np.uint8)


def test_every_class_of_the_dataset_is_of_one_kind() -> None:
    ids = [*CARRIED, *(each for kind in (*GARMENTS, ANY) for each in kind.ids)]
    assert sorted(ids) == list(range(1, 59))
    assert all(0 < len(kind.parts) < PARTS for kind in GARMENTS)
    assert ANY.parts == list(range(PARTS))


def test_ids_are_those_of_the_names(shared: Path) -> None:
    names = json.loads((shared / "data/people/ccp/labels.json").read_text())
    kinds = {kind.name: {names[str(each)] for each in kind.ids} for kind in (*GARMENTS, ANY)}
    assert kinds["shoes"] >= {"shoes", "sneakers", "heels", "wedges"}
    assert kinds["hair and hats"] == {"earrings", "glasses", "hair", "hat", "sunglasses"}
    assert kinds["trousers"] == {"jeans", "leggings", "pants", "stockings", "tights"}
    assert kinds["anything"] == {"accessories", "necklace", "scarf", "skin"}


def test_what_a_garment_rules_out_goes_to_what_remains() -> None:
    legs = shares(left_lower_leg_front=155, left_feet=60, right_feet=40)
    feet = narrowed(legs, drawn(SHOES))[4, 4].astype(int)
    assert feet.sum() == pytest.approx(255, abs=2)
    assert feet[PART["left_feet"]] > feet[PART["right_feet"]] > 80
    assert feet[PART["left_lower_leg_front"]] == 0


def test_what_was_overlooked_falls_to_the_side_that_the_teacher_saw() -> None:
    leg = narrowed(shares(right_lower_leg_back=255), drawn(SHOES))[4, 4]
    assert leg[PART["right_feet"]] > 250
    torso = narrowed(shares(torso_front=255), drawn(HAIR))[4, 4].astype(int)
    assert set(torso.nonzero()[0]) == {PART["left_face"], PART["right_face"]}
    assert torso[PART["left_face"]] == pytest.approx(127, abs=1) == torso[PART["right_face"]]


@pytest.mark.parametrize("garment", [0, BAG, SKIN])
def test_what_says_nothing_changes_nothing(garment: int) -> None:
    before = shares(torso_front=200, left_hand=55)
    assert np.array_equal(narrowed(before, drawn(garment)), before)


def test_only_cells_under_the_garment_change() -> None:
    classes = drawn(SKIN)
    classes[:, :16] = HAIR
    before = shares(torso_front=255)
    after = narrowed(before, classes)
    assert (after[:, :2, PART["torso_front"]] < 10).all()
    assert (after[:, 4:, PART["torso_front"]] == 255).all()


class Model:
    """Names the upper half left face, and nobody below."""

    def segment_person_parts(self, image: np.ndarray, **_: object) -> SimpleNamespace:
        ids = np.full(image.shape[:2], -1, np.int32)
        ids[: image.shape[0] // 2] = PART["left_face"]
        return SimpleNamespace(part_ids=ids)


def picture(root: Path, name: str, classes: np.ndarray) -> None:
    for folder in ("images", "labels"):
        (root / folder).mkdir(exist_ok=True)
    cv2.imwrite(str(root / "images" / f"{name}.jpg"), np.zeros((64, 64, 3), np.uint8))
    cv2.imwrite(str(root / "labels" / f"{name}.png"), classes)


def run(root: Path) -> Evaluation:
    work = Work(root, (), garments=root)
    return evaluate({"mine": Model()}, work, Settings())  # type: ignore[dict-item]


def test_parts_that_fit_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    classes = drawn(T_SHIRT)
    classes[:48] = HAIR
    picture(tmp_path, "a", classes)
    picture(tmp_path, "b", drawn(SKIN))
    picture(tmp_path, "c", drawn(HAIR)[:32])  # not of its picture's size
    (tmp_path / "images" / "undrawn.jpg").write_bytes(b"")
    done = run(tmp_path)
    assert "c.png: unreadable or not of its picture's size, left out" in caplog.text
    assert [own.path.name for own in done.garments["mine"]] == ["a.jpg"]
    assert garment_scores(done.garments["mine"]) == {
        "hair and hats": GarmentScore(48 * 64, pytest.approx(2 / 3), pytest.approx(1 / 3)),
        "tops": GarmentScore(16 * 64, 0, 1),
        "mean": GarmentScore(64 * 64, pytest.approx(1 / 3), pytest.approx(2 / 3)),
    }
    (table,) = done.tables()
    assert "| hair and hats | 3,072 | 0.667 | 0.333 |" in table.markdown()
    assert done.summary()["mine"]["garments: tops"]["missed"] == 1


def test_report_shows_where_parts_do_not_fit(tmp_path: Path) -> None:
    classes = drawn(HAIR)
    classes[:, 32:] = T_SHIRT
    picture(tmp_path, "a", classes)
    page = write_report(tmp_path / "report", run(tmp_path))
    assert "garments, best, median, worst: a.jpg, mine fitting 0.250" in page.read_text()
    row = cv2.imread(str(page.parent / "garments-0.jpg"))
    assert row.shape == (320, 640, 3)
    fits, misfit, nobody = row[80, 320 + 80], row[80, 320 + 240], row[240, 320 + 80]
    assert misfit.max() < 30
    assert fits.max() > 60
    assert nobody.min() > 240


def test_labels_of_drawn_pictures_are_narrowed(tmp_path: Path) -> None:
    picture(tmp_path, "a", drawn(HAIR))
    person = np.full((33, 33), 255, np.uint8)
    np.savez(tmp_path / "a.npz", person=person, parts=shares(torso_front=255))
    (sample,) = read_ccp(tmp_path, tmp_path, Budget(10**6), drawn=True)
    assert set(sample.parts.argmax(2).ravel()) <= {PART["left_face"], PART["right_face"]}


def test_folders_without_drawn_garments_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected images/\*.jpg with labels/\*.png of the same"):
        run(tmp_path)
    picture(tmp_path, "a", drawn(SKIN))
    with pytest.raises(ValueError, match="expected drawn garments of Clothing Co-Parsing"):
        run(tmp_path)
