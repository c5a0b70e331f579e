"""Small samples and networks, so that every test of training takes moments."""

from __future__ import annotations

import numpy as np
import pytest

from bodypix_train.datasets.sample import Sample, find_faces
from bodypix_train.networks.bodypix import BodyPixNet

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


@pytest.fixture
def network() -> BodyPixNet:
    import torch

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
