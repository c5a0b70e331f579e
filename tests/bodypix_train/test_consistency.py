"""Answers that move with the picture cost nothing; others do, and training lessens it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bodypix_train import consistency
from bodypix_train.checkpoint import LATER
from bodypix_train.consistency import REACH, STEP, aligned, consistency_losses, draw_shift
from bodypix_train.networks.bodypix import COARSE_HEADS, BodyPixNet
from bodypix_train.recipe import read_recipe
from bodypix_train.tasks import Batch, SegmentationTask

from .conftest import vouched

SIZE = 65
SHIFTS = [(4, 0), (-12, 8), (0, -4), (8, 12), (-4, -12)]


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look differs by the shift alone."""
    monkeypatch.setattr(consistency, "NOISE", 0.0)
    monkeypatch.setattr(consistency, "LIGHT", 0.0)


def ramp(channels: int, stride: int, shift: tuple[int, int] = (0, 0)) -> Tensor:
    """(1, c, h, w) a field, linear in the place and another in each channel, where a view sees it.

    Cells that lie beyond the first view's edge show its edge, as `seen_again` does.
    """
    at = torch.arange(0, SIZE, stride).float()
    y, x = ((at + pixels).clamp(0, SIZE - 1) for pixels in shift)
    slope = torch.linspace(-0.1, 0.14, channels + 2)[1:-1, None, None]
    return (slope * y[:, None] + (0.05 - slope / 2) * x - 1)[None]


def answers(shift: tuple[int, int] = (0, 0)) -> dict[str, Tensor]:
    return {"segments_fine": ramp(1, 4, shift) ** 3, "part_heatmaps_fine": ramp(24, 8, shift)}


def test_shifts_are_small_and_never_none() -> None:
    torch.manual_seed(0)
    drawn = {draw_shift() for _ in range(1500)}
    one_way = range(-REACH, REACH + 1, STEP)
    assert drawn == {(dy, dx) for dy in one_way for dx in one_way} - {(0, 0)}


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.usefixtures("still")
def test_a_second_look_is_moved(shift: tuple[int, int]) -> None:
    images = torch.rand(2, 3, SIZE, SIZE) * 2 - 1
    again = consistency.seen_again(images, shift)
    first, second = aligned(images, again, shift, 1)
    assert torch.allclose(first, second, atol=1e-6)
    assert first.shape[2:] == tuple(SIZE - abs(pixels) for pixels in shift)
    assert not torch.allclose(images, again, atol=0.1)


def test_a_second_look_has_noise_of_its_own() -> None:
    torch.manual_seed(0)
    images = torch.zeros(8, 3, SIZE, SIZE)
    one, other = (consistency.seen_again(images, (4, 0)) for _ in range(2))
    assert 0.001 < (one - other).std() < 0.1
    assert one.abs().max() <= 1


@pytest.mark.parametrize("shift", SHIFTS)
def test_what_only_moved_costs_nothing(shift: tuple[int, int]) -> None:
    """Also where the parts' cells fall between each other: the field is linear there."""
    inside = torch.ones(1, 1, 9, 9)
    moved = consistency_losses(answers(), answers(shift), inside, shift)
    stuck = consistency_losses(answers(), answers(), inside, shift)
    for name in ("person_again", "parts_again"):
        assert float(moved[name]) == pytest.approx(0, abs=1e-5), name
        assert float(stuck[name]) > 1e-3, name


def test_parts_count_inside_people_only() -> None:
    inside = torch.zeros(1, 1, 9, 9)
    assert consistency_losses(answers(), answers(), inside, (8, 0))["parts_again"] == 0
    inside[..., 4, 4] = 1
    assert consistency_losses(answers(), answers(), inside, (8, 0))["parts_again"] > 0


class Looks(nn.Module):
    """Answers with what it sees in each cell: it moves with the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(3.0))

    def forward(self, image: Tensor, hints: tuple[int, ...]) -> dict[str, Tensor]:
        seen = image[:, :1]
        out = {name: seen[..., ::16, ::16].repeat(1, c, 1, 1) for name, c in COARSE_HEADS.items()}
        order = torch.linspace(-1, 1, 24)[:, None, None]
        fine = {
            "segments_fine": seen[..., ::4, ::4],
            "part_heatmaps_fine": seen[..., ::8, ::8] * order,
        }
        return {name: self.gain * head for name, head in (out | fine).items()}


def batch_of(image: Tensor) -> Batch:
    count = len(image)
    person = (image[:, :1, ::4, ::4] > 0).float()
    return Batch(
        image, person, torch.ones_like(person), torch.rand(count, 24, 9, 9), torch.ones(count), {}
    )


@pytest.mark.usefixtures("still")
def test_a_network_that_moves_with_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    slope = ramp(1, 1) / 2 - 0.46  # linear: nothing is lost between cells
    batch = batch_of(slope.expand(4, 3, SIZE, SIZE).contiguous())
    task = SegmentationTask(Looks(), consistency_weight=1.0)  # type: ignore[arg-type]
    torch.manual_seed(0)
    terms = task(batch)[1]
    assert terms["person_again"] == pytest.approx(0, abs=1e-4)
    assert terms["parts_again"] == pytest.approx(0, abs=1e-4)
    monkeypatch.setattr("bodypix_train.tasks.seen_again", lambda images, shift: images)
    assert task(batch)[1]["person_again"] > 1e-3


def test_without_weight_nothing_is_seen_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    class Counts(Looks):
        def forward(self, image: Tensor, hints: tuple[int, ...]) -> dict[str, Tensor]:
            seen.append(len(image))
            return super().forward(image, hints)

    batch = batch_of(torch.rand(6, 3, SIZE, SIZE) - 0.5)
    for weight, expected in ((0.0, 6), (0.1, 8)):
        task = SegmentationTask(Counts(), consistency_weight=weight)  # type: ignore[arg-type]
        terms = task(batch)[1]
        assert seen.pop() == expected
        assert ("person_again" in terms) == (weight > 0)


def recipe(folder: Path, loss: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(
        f"""
        name = "tiny"
        [network]
        multiplier = 0.25
        widths = [8, 8]
        [loss]
        pose_weight = 0.25
        teacher_share = 1.0
        hints = [3, 5, 13]
        {loss}
        [data]
        teachers = "teachers"
        sources = []
        [schedule]
        steps = 4
        stages = [[0.0, 33, 2]]
        """
    )
    return path


def test_recipes_say_how_much_it_counts(tmp_path: Path) -> None:
    for loss, expected in (("", 0.0), ("consistency_weight = 0.5", 0.5)):
        plan = read_recipe(recipe(tmp_path, loss))
        assert plan.loss(plan.network()).consistency_weight == expected
    wrong = ("consistency_weight = -1", 'consistency_weight = 1\ntask = "stagewise"')
    for loss in wrong:
        with pytest.raises(ValueError, match=r"loss\.consistency_weight: expected 0 or"):
            read_recipe(recipe(tmp_path, loss))


@pytest.mark.parametrize(("name", "usual"), [("coarse_share", 0.5), ("coarse_parts", 1)])
def test_recipes_say_how_much_coarse_heads_count(tmp_path: Path, name: str, usual: float) -> None:
    path = recipe(tmp_path, "")
    text = path.read_text()
    assert float(getattr(read_recipe(path).network(), name)) == usual
    path.write_text(text.replace("[8, 8]", f"[8, 8]\n{name} = 0.25"))
    assert float(getattr(read_recipe(path).network(), name)) == 0.25
    path.write_text(text.replace("[8, 8]", f"[8, 8]\n{name} = 1.5"))
    with pytest.raises(ValueError, match=rf"network\.{name}: .* in 0\.\.1, got 1\.5"):
        read_recipe(path)


@pytest.mark.parametrize("name", LATER)
def test_recipes_say_how_wide_detours_are(name: str, tmp_path: Path) -> None:
    path = recipe(tmp_path, "")
    text = path.read_text()
    assert getattr(read_recipe(path).network(), name) is None
    path.write_text(text.replace("[8, 8]", f"[8, 8]\n{name} = 16"))
    assert getattr(read_recipe(path).network(), name).width == 16
    for bad in ("-1", "64.5", '"wide"'):
        path.write_text(text.replace("[8, 8]", f"[8, 8]\n{name} = {bad}"))
        bad = bad.replace('"', "'")
        with pytest.raises(ValueError, match=rf"network\.{name}: .* from 0, got {bad}"):
            read_recipe(path)


def test_an_overview_that_learns_alone_has_to_be_there(tmp_path: Path) -> None:
    path = recipe(tmp_path, "")
    text = path.read_text().replace("[schedule]", '[schedule]\nonly = "overview"')
    path.write_text(text)
    with pytest.raises(
        ValueError, match=r"schedule\.only: expected an overview .* got overview = 0"
    ):
        read_recipe(path)
    path.write_text(text.replace("[8, 8]", "[8, 8]\noverview = 16"))
    assert read_recipe(path).schedule.only == "overview"


def test_recipes_say_how_much_parts_count(tmp_path: Path) -> None:
    for loss, expected in (
        ("", (0.5, 0.5)),
        ("agree_weight = 0.25", (0.5, 0.25)),
        ("parts_weight = 1\nparts_agree_weight = 0", (1.0, 0.0)),
    ):
        plan = read_recipe(recipe(tmp_path, loss))
        task = plan.loss(plan.network())
        assert (task.parts_weight, task.parts_agree_weight) == expected
    for name in ("agree_weight", "parts_weight", "parts_agree_weight", "parts_dice"):
        with pytest.raises(ValueError, match=rf"loss\.{name}: expected 0 or more, got -1"):
            read_recipe(recipe(tmp_path, f"{name} = -1"))
    plan = read_recipe(recipe(tmp_path, "parts_balance = 0.5\nparts_dice = 2"))
    task = plan.loss(plan.network())
    assert (task.parts_balance, task.parts_dice) == (0.5, 2)
    with pytest.raises(ValueError, match=r"loss\.parts_balance: expected 0 .* to 1 .*, got 2"):
        read_recipe(recipe(tmp_path, "parts_balance = 2"))


def test_training_lessens_it() -> None:
    torch.manual_seed(0)
    image = torch.nn.functional.interpolate(torch.rand(4, 3, 9, 9), SIZE, mode="bilinear") * 2 - 1
    batch = batch_of(image)
    apart, errors = {}, {}
    for weight in (0.0, 3.0):
        torch.manual_seed(1)
        network = vouched(BodyPixNet(0.25, (8, 8)))
        task = SegmentationTask(network, consistency_weight=weight).train()
        optimizer = torch.optim.Adam(task.parameters(), 5e-3)
        for _ in range(25):
            optimizer.zero_grad()
            task(batch)[0].backward()
            optimizer.step()
        task.eval().consistency_weight = 1.0
        torch.manual_seed(2)
        with torch.no_grad():
            looks = [task(replace(batch, image=image))[1] for _ in range(4)]
        errors[weight] = looks[0]["person_fine"]
        apart[weight] = {
            name: sum(look[name] for look in looks) for name in ("person_again", "parts_again")
        }
    for name, without in apart[0.0].items():
        assert apart[3.0][name] < 0.7 * without, name
    # A network that learned nothing would have been as calm.
    assert errors[3.0] < 1.1 * errors[0.0]
