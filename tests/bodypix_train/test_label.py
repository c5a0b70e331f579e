"""Labelling resumes, names bad files, and the readers take what it wrote."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from bodypix_train import fit_parts, teachers
from bodypix_train.__main__ import app
from bodypix_train.datasets import photos
from bodypix_train.datasets.lazy import Budget
from bodypix_train.label import Teachers, label_pictures, pictures, read_share
from bodypix_train.network_teacher import NetworkTeacher
from bodypix_train.networks.bodypix import BodyPixNet
from bodypix_train.recipe import read_recipe

from .conftest import TINY_RECIPE
from .test_animals import detector

DEFAULT_RECIPE = Path(photos.__file__).parents[1] / "recipes" / "default.toml"


@dataclass(frozen=True)
class SquareTeacher:
    """Sees a person in the middle of every picture."""

    judge: None = None

    def label(self, image: np.ndarray) -> dict[str, np.ndarray]:
        height, width = image.shape[:2]
        person = np.zeros((height // 2 + 1, width // 2 + 1), np.uint8)
        person[height // 8 : -height // 8, width // 8 : -width // 8] = 255
        parts = np.zeros((height // 8 + 1, width // 8 + 1, 24), np.uint8)
        parts[..., 12] = 200
        return {"person": person, "parts": parts}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    images = tmp_path / "images"
    images.mkdir()
    for name in ("a", "b"):
        cv2.imwrite(str(images / f"{name}.png"), np.full((64, 48, 3), 90, np.uint8))
    (images / "bad.png").write_bytes(b"no picture")
    return images


def run(folder: Path) -> dict[str, str]:
    answers = label_pictures(pictures(folder), folder.parent / "labels", SquareTeacher())  # type: ignore[arg-type]
    return {path.name: state for path, state in answers}


def test_labels_resume(folder: Path) -> None:
    assert run(folder) == {"a.png": "labelled", "b.png": "labelled", "bad.png": "unreadable"}
    assert run(folder) == {"a.png": "kept", "b.png": "kept", "bad.png": "unreadable"}


def test_processes_share_the_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the command: each labels its own pictures, and together all of them."""
    recipe = folder.parent / "recipe.toml"
    recipe.write_text(TINY_RECIPE.replace('"nobody"', '"teacher"'))
    opened = []

    def from_folder(path: Path, threads: int) -> SquareTeacher:
        opened.append(threads)
        return SquareTeacher()

    monkeypatch.setattr(Teachers, "from_folder", from_folder)
    monkeypatch.setattr(fit_parts, "judge_of", lambda *arguments: None)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    labels = folder.parent / "labels"
    arguments = ["label", str(recipe), "--data", str(folder.parent), "--labels", str(labels)]
    for share, made in (("1/2", ["a.npz"]), ("2/2", ["a.npz", "b.npz"])):
        result = CliRunner().invoke(app, [*arguments, "--share", share])
        assert result.exception is None
        assert sorted(path.name for path in labels.rglob("*.npz")) == made
        assert ("bad.png: unreadable" in result.stderr) == (share == "1/2")
    assert opened == [2, 2]


@pytest.mark.parametrize(
    ("kinds", "labelled"),
    [
        (["ccp-drawn"], ["a.npz"]),
        (["ccp-undrawn"], ["b.npz"]),
        (["ccp-drawn", "ccp-undrawn"], ["a.npz", "b.npz"]),
    ],
)
def test_only_the_half_of_ccp_that_a_recipe_takes_is_labelled(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kinds: list[str], labelled: list[str]
) -> None:
    (folder.parent / "labels").mkdir()
    cv2.imwrite(str(folder.parent / "labels" / "a.png"), np.zeros((64, 48), np.uint8))
    recipe, answers = folder.parent / "tiny.toml", folder.parent / "answers"
    entries = (f'{{ kind = "{kind}", images = "images", weight = 1.0 }}' for kind in kinds)
    sources = f"sources = [{', '.join(entries)}]"
    recipe.write_text(re.sub("sources = .*", sources, TINY_RECIPE))
    monkeypatch.setattr(Teachers, "from_folder", lambda path, threads: SquareTeacher())
    monkeypatch.setattr(fit_parts, "judge_of", lambda *arguments: None)
    arguments = ["label", str(recipe), "--data", str(folder.parent), "--labels", str(answers)]
    assert CliRunner().invoke(app, arguments).exception is None
    assert sorted(path.name for path in answers.rglob("*.npz")) == labelled


@pytest.mark.parametrize("text", ["", "2", "0/2", "3/2", "a/b", "1/", "-1/2"])
def test_a_share_that_is_none(text: str) -> None:
    assert read_share("2/4") == (2, 4)
    with pytest.raises(ValueError, match=f"share: expected K/N .*, got '{text}'"):
        read_share(text)


def test_broken_labels_are_named_and_left_out(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(folder)
    (folder.parent / "labels" / "a.npz").write_bytes(b"PK half a file")
    cv2.imwrite(str(folder / "new.png"), np.full((64, 48, 3), 90, np.uint8))
    samples = photos.read_teacher_folder(folder, folder.parent / "labels", Budget(10**6))
    assert [sample.name for sample in samples] == ["b.png"]
    assert "a.npz" in caplog.text
    assert "left out (2): `bodypix-train label` them" in caplog.text  # bad.png and new.png


def test_only_pictures_with_animals(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    run(folder)
    labels = folder.parent / "labels"
    with pytest.raises(ValueError, match="labels: expected animals in some of the labels"):
        photos.read_teacher_folder(folder, labels, Budget(10**6), animals=True)
    with np.load(labels / "b.npz") as file:
        arrays = dict(file)
    np.savez(labels / "b.npz", **{**arrays, "animals": np.array(True)})
    (labels / "a.npz").write_bytes(b"PK half a file")
    samples = photos.read_teacher_folder(folder, labels, Budget(10**6), animals=True)
    assert [sample.name for sample in samples] == ["b.png"]
    assert "a.npz" in caplog.text


def test_empty_folder_reader_leaves_people_out(folder: Path) -> None:
    run(folder)
    assert not photos.read_empty_folder(folder, folder.parent / "labels", Budget(10**6))


def test_ccp_carried_things_are_not_people(tmp_path: Path) -> None:
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "images" / "1.png"), np.full((64, 48, 3), 90, np.uint8))
    classes = np.zeros((64, 48), np.uint8)
    classes[10:50, 10:20] = 41  # skin
    classes[10:50, 20:30] = 2  # bag
    cv2.imwrite(str(tmp_path / "labels" / "1.png"), classes)
    run(tmp_path / "images")
    (answers := tmp_path / "answers").mkdir()
    list(label_pictures(pictures(tmp_path / "images"), answers, SquareTeacher()))  # type: ignore[arg-type]
    (sample,) = photos.read_ccp(tmp_path, answers, Budget(10**6), drawn=True)
    assert np.array_equal(sample.person > 0, classes == 41)
    assert sample.exact
    assert not photos.read_ccp(tmp_path, answers, Budget(10**6), drawn=False)


def test_drawn_outlines_teach_nothing_where_they_may_be_tight(tmp_path: Path) -> None:
    for name in ("images", "labels", "answers"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "images" / "1.png"), np.full((81, 121, 3), 90, np.uint8))
    classes, seen = np.zeros((81, 121), np.uint8), np.zeros((81, 121), np.uint8)
    classes[20:60, 20:40] = 41  # skin
    seen[20:60, 20:48] = 255  # as far as 8 pixels beside it,
    seen[20:60, 90:110] = 255  # and somebody else
    cv2.imwrite(str(tmp_path / "labels" / "1.png"), classes)
    parts = np.zeros((11, 16, 24), np.uint8)
    np.savez(tmp_path / "answers" / "1.npz", person=seen, parts=parts)
    (sample,) = photos.read_ccp(tmp_path, tmp_path / "answers", Budget(10**6), drawn=True)
    assert np.array_equal(sample.person > 0, classes == 41)
    untaught = np.zeros((81, 121), bool)
    untaught[20:60, 40:43] = untaught[20:60, 90:110] = True
    assert np.array_equal(sample.trust == 0, untaught)
    assert np.array_equal(sample.trust == 255, ~untaught)


def test_steeper_labels_keep_their_edges() -> None:
    soft = np.arange(256, dtype=np.uint8)[None]
    steep = photos.steepen(soft)
    assert np.array_equal(steep > 127, soft > 127)
    assert (steep[0, [0, 40]] == 0).all()
    assert (steep[0, [216, 255]] == 255).all()


def test_portraits_are_asked_only_where_they_agree() -> None:
    body = np.zeros((10, 10), np.float32)
    body[2:8, 2:8] = 0.8
    same, other = body / 0.8, np.eye(10, dtype=np.float32)
    assert np.allclose(teachers.combine(body, [same]), (body + same) / 2)
    assert teachers.combine(body, [other]) is body
    assert teachers.combine(body, []) is body


def test_nobody_needs_no_teacher(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    samples = photos.read_nobody_folder(folder, Budget(10**6))
    assert [sample.name for sample in samples] == ["a.png", "b.png"]
    assert not samples[0].person.any()
    assert samples[0].trust.min() == 255
    assert "bad.png" in caplog.text


def test_objects_keep_their_transparency(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    blue = np.zeros((8, 6, 4), np.uint8)
    blue[2:5] = (255, 0, 0, 128)  # as OpenCV orders colours
    cv2.imwrite(str(folder / "thing.png"), blue)
    (thing,) = photos.read_objects([folder], Budget(10**6))
    assert thing.shape == (8, 6, 4)
    assert tuple(thing[3, 3]) == (0, 0, 255, 128)
    assert "a.png" in caplog.text


def test_resize_is_corner_aligned() -> None:
    ramp = np.linspace(0, 8, 9, dtype=np.float32)[None].repeat(5, 0)
    small = teachers.resize_aligned(ramp, (3, 5))[..., 0]
    assert np.allclose(small[0], [0, 2, 4, 6, 8])


@pytest.mark.parametrize("name", ["default-blocks.toml", "default-features.toml", "default.toml"])
def test_shipped_recipes(name: str) -> None:
    recipe = read_recipe(DEFAULT_RECIPE.with_name(name))
    assert recipe.network().multiplier == recipe.multiplier
    assert sum(source.weight for source in recipe.sources) == pytest.approx(1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "empty"', 'kind = "none"', "expected one of teacher"),
        ("193", "192", "16k\\+1"),
        ("steps = ", "stops = ", "stops"),
        ("[loss]", '[loss]\ntask = "none"', "loss.task: expected one of joint, stagewise"),
        (
            "[loss]",
            '[loss]\ntask = "stagewise"',
            "stagewise needs a MobileNetV1, teacher_share = 1",
        ),
        ("[network]", "[network", "expected TOML"),
    ],
)
def test_bad_recipes_name_the_field(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(DEFAULT_RECIPE.read_text().replace(old, new))
    with pytest.raises(ValueError, match=message):
        read_recipe(path)


class FixedTeacher(teachers.BodyPixTeacher):
    """Answers the same, whatever it sees."""

    def __init__(self, answers: dict[str, np.ndarray]) -> None:
        self.answers, self.stride = answers, 16

    def heads(self, images: np.ndarray, names: list[str]) -> list[np.ndarray]:
        rows, columns = ((side - 1) // self.stride + 1 for side in images.shape[1:3])
        every = [self.answers[name] for name in names]
        return [np.tile(answer, (1, rows, columns, 1)) for answer in every]


def test_parts_are_told_apart_where_their_probabilities_are_all_near_1() -> None:
    logits = np.full(24, -4.0, np.float32)
    logits[[12, 13]] = 9.0, 10.5  # 0.9999 and 0.99997: one, as bytes
    teacher = FixedTeacher({"segments": np.zeros(1, np.float32), "part_heatmaps": logits})
    answer = teacher.answer(np.zeros((64, 64, 3), np.uint8), (1.0,), (33, 33), (9, 9))
    assert np.allclose(answer.parts.sum(2), 1)
    assert np.allclose(answer.parts[..., 13] / answer.parts[..., 12], np.exp(1.5))


def test_a_network_of_ours_has_a_third_of_the_say() -> None:
    logits = {"segments": np.full(1, 20, np.float32), "part_heatmaps": np.zeros(24, np.float32)}
    image = np.zeros((64, 80, 3), np.uint8)
    network = BodyPixNet(0.25, (8, 8))
    with_bias(network, -20.0)
    both = Teachers(FixedTeacher(logits), [], own=NetworkTeacher(network)).label(image)
    alone = Teachers(FixedTeacher(logits), []).label(image)
    assert both["person"].shape == alone["person"].shape == (33, 41)
    assert (alone["person"] == 255).all()
    assert (both["person"] == 170).all()


def test_what_a_detector_takes_for_an_animal_is_nobody() -> None:
    logits = {"segments": np.full(1, 20, np.float32), "part_heatmaps": np.zeros(24, np.float32)}
    image = np.zeros((64, 80, 3), np.uint8)
    without = Teachers(FixedTeacher(logits), [])
    found = replace(without, animals=detector(Dog=(0, 0, 0.5, 1))).label(image)
    assert found["animals"]
    assert (found["person"][:16] == 0).all()
    assert (found["person"][17:] == 255).all()
    for others in (without, replace(without, animals=detector(Car=(0, 0, 1, 1)))):
        labels = others.label(image)
        assert not labels["animals"]
        assert (labels["person"] == 255).all()


def test_a_network_of_ours_answers_for_the_mirror_image_too() -> None:
    torch.manual_seed(0)
    teacher = NetworkTeacher(BodyPixNet(0.25, (8, 8)))
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    answer = teacher.person(image, (25, 33))
    turned = teacher.person(np.ascontiguousarray(image[:, ::-1]), (25, 33))
    assert answer.std() > 0
    assert np.allclose(answer, turned[:, ::-1], atol=1e-5)


def with_bias(network: BodyPixNet, logit: float) -> None:
    """Make a network answer the same person logit everywhere."""
    for head in (network.person, network.heads["segments"]):
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.constant_(head.bias, logit)


def test_poses_come_in_image_pixels() -> None:
    class Upright(FixedTeacher):
        def heads(self, images: np.ndarray, names: list[str]) -> list[np.ndarray]:
            rows, columns = ((side - 1) // self.stride + 1 for side in images.shape[1:3])
            depth = {"heatmaps": 17, "short_offsets": 34}
            found = [
                np.zeros((1, rows, columns, depth.get(name, 32)), np.float32) for name in names
            ]
            found[0] -= 9
            found[0][0, 2, 3] = 5  # all keypoints in one place
            return found

    (pose,) = Upright({}).poses(np.zeros((90, 120, 3), np.uint8))
    assert pose.shape == (17, 3)
    assert np.allclose(pose[0], [3 * 16 * 119 / 128, 2 * 16 * 89 / 96, 0.9933], atol=1e-3)
