"""People have keypoints or fill large areas: islands of a person map with neither are taken out."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from .layers import double

STEPS, WINDOW = 16, 3  # what vouches does so for what is reached in so many steps, cell by cell
GAIN = 16.0  # of logits that decide: little more than half sure is sure
# Logits above which a keypoint vouches by itself, and beside an area. Losses count cells that have
# a keypoint eleven times, so these are less sure than they look.
KEYPOINT, HINT = 2.05, 1.2
AREA = 13  # cells of the person's grid, 52 pixels, over whose mean an area vouches
SURE, LIKELY = 3.5, 2.0  # mean logit of one that needs no keypoint, or one likelier than not
FLOOR = -6.0  # of what is taken out: a probability of 0.0025


def with_evidence(person: Tensor, heatmaps: Tensor) -> Tensor:
    """Person logits [N,1,4k+1,4m+1], lowered where neither a keypoint nor an area vouches for them.

    ``heatmaps`` [N,17,k+1,m+1] are keypoint logits. A sure keypoint lets all pixels pass that it
    reaches through cells with person pixels: a morphological reconstruction (Vincent 1993) on the
    coarse grid. So does a large area that is surely somebody, for of who is seen from close by, or
    only in part, no keypoint may be in sight; and an area that is likely somebody with a keypoint
    that is likely too. What passes stays as it is, and what lies beside it, up to a cell away, does
    too.
    """
    ground = (GAIN * F.max_pool2d(person, 5, 4, 2)).clamp(min=FLOOR)
    area = F.avg_pool2d(person, AREA, 4, AREA // 2, count_include_pad=False)
    keypoint = heatmaps.amax(1, keepdim=True)
    both = (keypoint - HINT).minimum(area - LIKELY)
    vouching = (keypoint - KEYPOINT).maximum(area - SURE).maximum(both)
    reached = (GAIN * vouching).clamp(min=FLOOR).minimum(ground)
    for _ in range(STEPS):
        reached = F.max_pool2d(reached, WINDOW, 1, WINDOW // 2).minimum(ground)
    # The neighbours' largest value bounds no pixel of a cell that passes, after interpolation too.
    roof = double(double(F.max_pool2d(reached, 3, 1, 1)))
    return person.minimum(roof)
