"""A network of ours teaches a smaller one, through the command as well."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from bodypix_train import __main__ as main
from bodypix_train.__main__ import app
from bodypix_train.checkpoint import read_network, write_weights
from bodypix_train.datasets.mixture import BatchStream, Mixture
from bodypix_train.datasets.plan import Augmentation
from bodypix_train.losses import fine_losses
from bodypix_train.network_teacher import NetworkTeacher
from bodypix_train.networks.bodypix import COARSE_HEADS, FINE_HEADS, BodyPixNet
from bodypix_train.recipe import read_recipe
from bodypix_train.tasks import SegmentationTask

from .conftest import TINY_RECIPE, person_sample, vouched

RECIPE = TINY_RECIPE.replace("teacher_share = 0.0", "teacher_share = 1.0")


@pytest.fixture
def big() -> BodyPixNet:
    torch.manual_seed(0)
    return vouched(BodyPixNet(0.125, (8, 8), "ResNet14"))


def test_teacher_answers_as_its_network(big: BodyPixNet) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 33, 49, 3), np.uint8)
    names = [*COARSE_HEADS, *FINE_HEADS, "block2"]
    answers = NetworkTeacher(big, (2,)).heads(images, names)
    with torch.no_grad():
        x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1
        expected = big.eval()(x, (2,))
    for name, answer in zip(names, answers, strict=True):
        mine = expected[name].numpy()
        mine = mine if name == "block2" else mine.transpose(0, 2, 3, 1)
        assert np.allclose(answer, mine, atol=1e-5), name


def test_a_teacher_of_crops_keeps_what_nothing_vouches_for(big: BodyPixNet) -> None:
    with torch.no_grad():
        big.heads["heatmaps"].bias.fill_(-20)  # no keypoints anywhere
        big.person.bias.fill_(1)
    grey = np.full((1, 65, 65, 3), 90, np.uint8)
    (seen,) = NetworkTeacher(big).heads(grey, ["segments_fine"])
    (all_,) = NetworkTeacher(big, evidence=False).heads(grey, ["segments_fine"])
    assert seen.max() < 0 < all_.min()


def test_student_follows_its_teacher(big: BodyPixNet) -> None:
    teacher = NetworkTeacher(big)
    mixture = Mixture([(1.0, [person_sample()])], Augmentation())
    batch = next(iter(BatchStream(mixture, 4, 33, 0, teacher, 1.0)))
    assert set(batch.teacher) == set(teacher.names)
    batch = replace(batch, has_parts=torch.zeros(4))  # the labels would say something else
    task = SegmentationTask(BodyPixNet(0.25, (8, 8)), agree_weight=1.0).train()
    optimizer = torch.optim.Adam(task.parameters(), 3e-3)
    first = task(batch)[1]
    for _ in range(25):
        optimizer.zero_grad()
        task(batch)[0].backward()
        optimizer.step()
    last = task(batch)[1]
    assert last["parts_fine_agree"] < first["parts_fine_agree"]
    assert last["short_offsets"] < first["short_offsets"]


def test_equal_answers_cost_nothing_more(big: BodyPixNet) -> None:
    with torch.no_grad():
        heads = big.eval()(torch.zeros(1, 3, 33, 33))
    heads["segments_fine"] = torch.full_like(heads["segments_fine"], 20.0)
    same = fine_losses(heads, heads)
    assert float(same["parts_fine_agree"]) == pytest.approx(0, abs=1e-6)
    assert float(same["person_fine_agree"]) == pytest.approx(0, abs=1e-6)
    other = {**heads, "part_heatmaps_fine": heads["part_heatmaps_fine"].roll(1, 1) * 50}
    assert float(fine_losses(other, heads)["parts_fine_agree"]) > 0.1


@pytest.fixture
def folder(tmp_path: Path, big: BodyPixNet) -> Path:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.full((64, 48, 3), 90, np.uint8))
    write_weights(big, tmp_path / "teacher.pt")
    (tmp_path / "tiny.toml").write_text(RECIPE)
    return tmp_path


def command(folder: Path) -> list[str]:
    return [
        "distill", str(folder / "tiny.toml"), "--data", str(folder), "--out", str(folder / "run"),
        "--teacher", str(folder / "teacher.pt"),
    ]  # fmt: skip


def test_command(folder: Path) -> None:
    result = CliRunner().invoke(app, command(folder))
    assert result.exit_code == 0, result.output
    assert read_network(folder / "run" / "last.pt").multiplier == 0.25


def test_command_asks_for_answers_before_evidence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teachers: list[NetworkTeacher] = []
    monkeypatch.setattr(main, "_run", lambda plan, teacher, *rest: teachers.append(teacher))
    assert CliRunner().invoke(app, command(folder)).exit_code == 0
    assert [teacher.network.evidence for teacher in teachers] == [False]


def test_parts_dice_adds_to_the_losses_of_parts_alone() -> None:
    mixture = Mixture([(1.0, [person_sample()])], Augmentation())
    batch = next(iter(BatchStream(mixture, 2, 129, 0, None, 0.0)))
    network = BodyPixNet(0.25, (8, 8)).eval()
    usual = SegmentationTask(network)(batch)[1]
    other = SegmentationTask(network, parts_dice=2.0)(batch)[1]
    more = {name for name in usual if float(other[name]) > float(usual[name]) + 1e-4}
    assert more == {"parts_fine", "parts"}
    assert all(other[name].equal(usual[name]) for name in usual.keys() - more)


def test_hints_need_the_same_backbone(folder: Path) -> None:
    path = folder / "tiny.toml"
    path.write_text(path.read_text().replace("teacher_share", "hints = [3]\nteacher_share"))
    result = CliRunner().invoke(app, command(folder))
    assert isinstance(result.exception, ValueError)
    assert "loss.hints: expected none where a ResNet14 x0.125 teaches" in str(result.exception)
    with pytest.raises(ValueError, match="different widths"):
        read_recipe(path).check_hints("MobileNetV1", 0.5)
    read_recipe(path).check_hints("MobileNetV1", 0.125)  # twice as wide: channels are copies
    late = path.read_text().replace("[3]", "[3, 6]")
    late = late.replace("[network]", "[network]\nlate_multiplier = 0.5")
    (wide := folder / "late.toml").write_text(late)
    read_recipe(wide).check_hints("MobileNetV1", 0.25)
    wide.write_text(late.replace("0.5", "0.3"))
    with pytest.raises(ValueError, match="different widths"):
        read_recipe(wide).check_hints("MobileNetV1", 0.25)

    stages = 'hints = [3, 5, 13]\ntask = "stagewise"'
    path.write_text(path.read_text().replace("hints = [3]", stages))
    read_recipe(path).check_hints("MobileNetV1", 0.25)
    with pytest.raises(ValueError, match="different widths"):
        read_recipe(path).check_hints("MobileNetV1", 0.125)


def test_parts_weights_scale_the_losses_of_parts_alone(big: BodyPixNet) -> None:
    mixture = Mixture([(1.0, [person_sample()])], Augmentation())
    batch = next(iter(BatchStream(mixture, 2, 33, 0, NetworkTeacher(big), 1.0)))
    network = BodyPixNet(0.25, (8, 8)).eval()
    usual = SegmentationTask(network)(batch)[1]
    other = SegmentationTask(network, parts_weight=1.0, parts_agree_weight=0.0)(batch)[1]
    factors = {"parts_fine": 2.0, "parts": 2.0, "parts_fine_agree": 0.0}
    assert factors.keys() <= usual.keys()
    for name, term in usual.items():
        assert float(other[name]) == pytest.approx(factors.get(name, 1) * float(term)), name
