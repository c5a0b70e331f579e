"""What a task minimises: hints, labels, and stages that learn by themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from bodypix_train.networks.bodypix import BodyPixNet, hint_name
from bodypix_train.targets import no_pose_targets, pose_targets
from bodypix_train.tasks import Batch, SegmentationTask, StagewiseTask
from bodypix_train.widen import widened

HINTS = (3, 5, 13)


@pytest.fixture
def teacher() -> BodyPixNet:
    torch.manual_seed(1)
    return BodyPixNet(0.25, (8, 8))


def taught_batch(teacher: BodyPixNet) -> Batch:
    torch.manual_seed(2)
    image = torch.rand(4, 3, 65, 65) * 2 - 1
    with torch.no_grad():
        heads = teacher(image, HINTS)
    wanted = [name for name in heads if not name.endswith("_fine")]
    return Batch(
        image=image,
        person=(torch.rand(4, 1, 17, 17) > 0.5).float(),
        trust=torch.ones(4, 1, 17, 17),
        parts=torch.rand(4, 24, 9, 9),
        has_parts=torch.ones(4),
        teacher={name: heads[name] for name in wanted},
    )


def gradients(task: SegmentationTask, block: int) -> bool:
    parameters = task.network.backbone.blocks[block - 1].parameters()
    return any(p.grad is not None and p.grad.abs().sum() > 0 for p in parameters)


def test_stages_learn_the_teachers_features(teacher: BodyPixNet) -> None:
    batch = taught_batch(teacher)
    torch.manual_seed(3)
    task = StagewiseTask(BodyPixNet(0.25, (8, 8)), hints=HINTS, hint_weight=1.0).train()
    optimizer = torch.optim.Adam(task.parameters(), 5e-3)
    first = task(batch)[1]
    for _ in range(30):
        optimizer.zero_grad()
        task(batch)[0].backward()
        optimizer.step()
    last = task(batch)[1]
    assert all(last[hint_name(block)] < 0.7 * first[hint_name(block)] for block in HINTS)


def test_a_stage_hears_of_its_own_error_only(teacher: BodyPixNet) -> None:
    """The heads' losses end at the teacher's features: without hints no stage learns."""
    batch = taught_batch(teacher)
    for weight, learns in ((0.0, False), (1.0, True)):
        task = StagewiseTask(BodyPixNet(0.25, (8, 8)), hints=HINTS, hint_weight=weight).train()
        task(batch)[0].backward()
        assert gradients(task, 13) == learns
        assert task.network.person.weight.grad is not None


def test_joint_training_reaches_the_first_block(teacher: BodyPixNet) -> None:
    task = SegmentationTask(BodyPixNet(0.25, (8, 8)), hints=HINTS, hint_weight=0.0).train()
    task(taught_batch(teacher))[0].backward()
    assert gradients(task, 1)


def test_hints_fade_towards_the_end(teacher: BodyPixNet) -> None:
    batch = taught_batch(teacher)
    task = SegmentationTask(BodyPixNet(0.25, (8, 8)), hints=HINTS, hint_weight=1.0).eval()
    with torch.no_grad():
        begin, end = task(batch, 0.0)[1], task(batch, 1.0)[1]
    for block in HINTS:
        expected = 0.2 * float(begin[hint_name(block)])
        assert float(end[hint_name(block)]) == pytest.approx(expected, rel=1e-4)


def test_hints_lead_the_means_of_a_wider_networks_copies(teacher: BodyPixNet) -> None:
    batch = taught_batch(teacher.eval())
    wide = widened(teacher, 2 * teacher.multiplier, teacher.widths)
    task = SegmentationTask(wide, hints=HINTS, hint_weight=1.0, mixed=False).eval()
    with torch.no_grad():
        for block in HINTS:
            assert float(task(batch)[1][hint_name(block)]) < 1e-6
        half = wide.backbone.blocks[12][1][1].bias
        half[: len(half) // 2] += 0.5  # the others stay
        assert float(task(batch)[1][hint_name(13)]) > 1e-3


def test_pose_labels_count_only_where_there_are_some(teacher: BodyPixNet) -> None:
    batch = taught_batch(teacher)
    known = no_pose_targets(5)
    keypoints = np.full((1, 17, 3), 30, np.float32)
    owner = np.ones((5, 5), int)
    both = [pose_targets(keypoints, owner), known, known, known]
    poses = {
        name: torch.from_numpy(np.stack([t[name] for t in both])).permute(0, 3, 1, 2)
        for name in known
    }
    task = SegmentationTask(BodyPixNet(0.25, (8, 8))).train()
    task(replace(batch, teacher={}, poses=poses))[0].backward()
    assert task.network.heads["short_offsets"].weight.grad.abs().sum() > 0
    none = {name: torch.zeros_like(value) for name, value in poses.items()}
    terms = task(replace(batch, teacher={}, poses=none))[1]
    assert all(value == 0 for name, value in terms.items() if name.endswith("_labels"))
    assert sum(name.endswith("_labels") for name in terms) == 5
