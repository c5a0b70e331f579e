"""Consistency: a crop seen again, a few pixels aside and with other noise, gets the same answer.

What a camera sees moves and is noisy from frame to frame, and a mask that follows either flickers.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

# Shifts are whole cells of the person's grid: comparing takes no interpolation there, and only
# halves of cells on the parts'. Less than the stride of 16 aside, the backbone sees another phase.
STEP = 4
REACH = 12  # pixels
NOISE = 0.06  # largest standard deviation, of a range of 2: eight levels
LIGHT = 0.03  # standard deviation of the exposure's logarithm

PERSON_STRIDE, PARTS_STRIDE = 4, 8

Shift = tuple[int, int]  # (dy, dx) in crop pixels


def draw_shift() -> Shift:
    """By lot, never none; torch's own generator."""
    count = 2 * REACH // STEP + 1
    # Of the square's cells the middle one is left out.
    number = int(torch.randint(count * count - 1, ()))
    row, column = divmod(number + (number >= count * count // 2), count)
    return row * STEP - REACH, column * STEP - REACH


def seen_again(images: Tensor, shift: Shift) -> Tensor:
    """(n,3,S,S) in [-1,1] by a camera that has moved: pixel (y, x) shows (y + dy, x + dx).

    What had not been seen repeats the edge. Exposure and noise are drawn by lot for each picture.
    """
    (dy, dx), (height, width) = shift, images.shape[2:]
    far = max(abs(dy), abs(dx))
    moved = F.pad(images, (far,) * 4, mode="replicate")
    moved = moved[..., far + dy : far + dy + height, far + dx : far + dx + width]
    each = (len(images), 1, 1, 1)
    light = torch.exp(LIGHT * torch.randn(each, device=images.device))
    noise = NOISE * torch.rand(each, device=images.device) * torch.randn_like(images)
    again = (moved + 1) * light - 1 + noise
    return again.clamp(-1, 1).contiguous(memory_format=torch.channels_last)


def aligned(first: Tensor, again: Tensor, shift: Shift, stride: int) -> tuple[Tensor, Tensor]:
    """The cells (n,c,h',w') of two answers (n,c,h,w) that show the same, the shift undone.

    Cell (r, c) of ``again`` lies at (r, c) + shift / stride of ``first``, which is interpolated
    where that is between cells.
    """
    for dim, pixels in zip((2, 3), shift, strict=True):
        whole, rest = divmod(pixels, stride)
        length = first.shape[dim]
        if rest:
            length -= 1
            low, high = first.narrow(dim, 0, length), first.narrow(dim, 1, length)
            first = torch.lerp(low, high, rest / stride)
        begin = max(0, -whole)
        count = min(again.shape[dim], length - whole) - begin
        first, again = first.narrow(dim, begin + whole, count), again.narrow(dim, begin, count)
    return first, again


def consistency_losses(
    first: dict[str, Tensor], again: dict[str, Tensor], inside: Tensor, shift: Shift
) -> dict[str, Tensor]:
    """How far two answers to one crop are apart, for the fine heads; 0 if they only moved.

    The divergence of Jeffreys, (p - q)(log p - log q) summed over what a cell can be: nobody or a
    person, and which of the parts inside of people, (n,1,h,w) on the grid of the parts.
    """
    a, b = aligned(first["segments_fine"], again["segments_fine"], shift, PERSON_STRIDE)
    person = (torch.sigmoid(a) - torch.sigmoid(b)) * (a - b)
    name = "part_heatmaps_fine"
    a, b = aligned(first[name], again[name], shift, PARTS_STRIDE)
    weight, _ = aligned(inside, inside, shift, PARTS_STRIDE)
    log_a, log_b = F.log_softmax(a, 1), F.log_softmax(b, 1)
    parts = ((log_a.exp() - log_b.exp()) * (log_a - log_b)).sum(1, keepdim=True)
    return {
        "person_again": person.mean(),
        "parts_again": (parts * weight).sum() / weight.sum().clamp(min=1),
    }
