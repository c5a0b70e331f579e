"""Small samples and networks, so that every test of training takes moments."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bodypix_train.datasets.mixture import Mixture
from bodypix_train.datasets.plan import Augmentation
from bodypix_train.datasets.sample import Sample, find_faces
from bodypix_train.networks.bodypix import BodyPixNet
from bodypix_train.schedule import Schedule
from bodypix_train.tasks import SegmentationTask

TINY_RECIPE = """
name = "tiny"
[network]
multiplier = 0.25
widths = [8, 8]
[loss]
pose_weight = 0.25
teacher_share = 0.0
[data]
teachers = "teachers"
sources = [{ kind = "nobody", images = "images", weight = 1.0 }]
[schedule]
steps = 4
stages = [[0.0, 33, 2]]
"""

SCHEDULE = Schedule(steps=50, warmup=5, ema=0.9, stages=((0.0, 33, 4), (0.5, 49, 2)))


def vouched(network: BodyPixNet) -> BodyPixNet:
    """The network, sure of keypoints everywhere: nothing of its person map is taken out."""
    torch.nn.init.constant_(network.heads["heatmaps"].bias, 4.0)
    return network


@pytest.fixture
def network() -> BodyPixNet:
    torch.manual_seed(0)
    return BodyPixNet(0.25, (16, 8)).eval()


def person_sample(name: str = "person", exact: bool = True) -> Sample:
    """A bright figure on a dark ground: its left half is part 0, its right half part 1."""
    image = np.full((96, 64, 3), 40, np.uint8)
    image[24:80, 16:48] = (220, 160, 120)
    person = np.zeros((96, 64), np.uint8)
    person[24:80, 16:48] = 255
    parts = np.zeros((13, 9, 24), np.uint8)
    parts[3:10, 2:4, 0] = 255
    parts[3:10, 4:6, 1] = 255
    trust = np.full_like(person, 255)
    return Sample(name, image, person, trust, parts, exact, find_faces(parts))


@pytest.fixture
def sample() -> Sample:
    return person_sample()


def mixture() -> Mixture:
    return Mixture([(1.0, [person_sample()])], Augmentation())


def tiny_task() -> SegmentationTask:
    torch.manual_seed(0)
    return SegmentationTask(BodyPixNet(0.25, (8, 8)))
