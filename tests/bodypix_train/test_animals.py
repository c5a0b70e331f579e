"""Animals are no people: a detector's boxes take them out of the teachers' answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bodypix_train.animals import FILE, SIDE, AnimalDetector, anchors, highest, moved
from bodypix_train.errors import TrainingError

from .tflite_files import tflite

CLASSES = ("???", "Person", "Cat", "Cattle", "Dog", "Car")
NAMES = "\n".join(CLASSES)
SCORE = 3.0  # a logit: 0.95


def detector(**boxes: tuple[float, float, float, float]) -> AnimalDetector:
    """Sees what is named in the given boxes: y0, x0, y1, x1 as fractions of the picture."""
    shifts = np.zeros((1917, 4), np.float32)
    logits = np.full((1917, len(CLASSES)), -9, np.float32)
    for at, (name, box) in enumerate(boxes.items()):
        low, high = np.array(box[:2]), np.array(box[2:])
        anchor = anchors()[at]
        shifts[at, :2] = ((low + high) / 2 - anchor[:2]) / anchor[2:] / 0.1
        shifts[at, 2:] = np.log((high - low) / anchor[2:]) / 0.2
        logits[at, CLASSES.index(name)] = SCORE

    def network(image: np.ndarray) -> list[np.ndarray]:
        assert image.shape == (SIDE, SIDE, 3)
        assert image.min() >= -1
        assert image.max() <= 1
        return [logits, shifts]

    return AnimalDetector(network, CLASSES)


def refined(detector: AnimalDetector) -> tuple[np.ndarray, bool]:
    """What is left of people everywhere in a picture of 80 by 40, on half its grid."""
    return detector.refine(np.zeros((80, 40, 3), np.uint8), np.full((40, 20), 0.9, np.float32))


def test_anchors_cover_the_picture() -> None:
    boxes = anchors()
    assert boxes.shape == (1917, 4)
    assert np.allclose(boxes[:, :2].mean(0), 0.5)
    assert np.allclose(boxes[-1], (0.5, 0.5, 0.95**0.5, 0.95**0.5))
    area = boxes[19 * 19 * 3 : 19 * 19 * 3 + 5, 2:].prod(1)
    assert np.allclose(area, 0.35**2)  # all of one size


def test_boxes_that_are_not_moved_are_the_anchors() -> None:
    corners = moved(anchors(), np.zeros((1917, 4), np.float32))
    assert np.allclose(corners[:, :2] + corners[:, 2:], 2 * anchors()[:, :2], atol=1e-6)
    assert np.allclose(corners[:, 2:] - corners[:, :2], anchors()[:, 2:], atol=1e-6)


def test_the_highest_score_counts() -> None:
    corners = np.array([[0, 0, 1, 1], [-1, -1, 0.5, 0.5], [0, 0, 0.25, 2]], np.float32)
    covered = highest(corners, np.array([0.2, 0.7, 0.5], np.float32), (4, 4))
    expected = [[0.7, 0.7, 0.5, 0.5], [0.7, 0.7, 0.2, 0.2], [0.2] * 4, [0.2] * 4]
    assert np.allclose(covered, expected)


@pytest.mark.parametrize("animal", ["Cat", "Cattle", "Dog"])
def test_where_an_animal_is_nobody_is(animal: str) -> None:
    person, animals = refined(detector(**{animal: (0.25, 0, 0.75, 0.5)}))
    assert animals
    assert np.all(person[10:30, :10] == 0)
    assert np.all(person[:10] == np.float32(0.9))
    assert np.all(person[:, 10:] == np.float32(0.9))


def test_where_a_person_is_seen_too_it_is_in_doubt() -> None:
    person, animals = refined(detector(Dog=(0, 0, 0.5, 1), Person=(0.25, 0, 1, 1)))
    assert animals
    assert np.all(person[:10] == 0)
    assert np.all(person[10:20] == 0.5)
    assert np.all(person[20:] == np.float32(0.9))


def test_other_things_change_nothing() -> None:
    person, animals = refined(detector(Car=(0, 0, 1, 1), Person=(0, 0, 0.2, 0.2)))
    assert not animals
    assert np.all(person == np.float32(0.9))


def test_the_published_file_holds_names_and_network(tmp_path: Path) -> None:
    assert AnimalDetector.from_folder(tmp_path) is None
    network = tflite(tmp_path / "network", SIDE).read_bytes()
    (tmp_path / FILE).write_bytes(NAMES.encode() + b"\n" + network)
    found = AnimalDetector.from_folder(tmp_path)
    assert found is not None
    assert found.classes == CLASSES


@pytest.mark.parametrize("content", [b"", b"Person\nCat\n", b"Car\n----TFL3----"])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(TrainingError, match=rf"{FILE}: expected the names of classes"):
        AnimalDetector.from_folder(tmp_path)
