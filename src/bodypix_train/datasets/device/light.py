"""Light and camera on a batch of crops, as `augment.photograph` does it on one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bodypix_train.datasets.plan import Light

from .jpeg import compress

GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601


def photograph(images: Tensor, lights: Sequence[Light], generator: torch.Generator) -> Tensor:
    """(n, 3, S, S) levels 0..255 as a camera would have taken them; ``generator`` makes noise."""
    device = images.device
    colour = torch.tensor([light.colour for light in lights], device=device)[:, None, None, None]
    weights = torch.tensor(GREY, device=device)[:, None, None]
    grey = (images * weights).sum(1, keepdim=True).round()
    images = (colour * images + (1 - colour) * grey).round().clamp(0, 255)
    table = torch.from_numpy(np.stack([light.table for light in lights])).to(device)
    levels = images.flatten(2).long()
    images = table.permute(0, 2, 1).gather(2, levels).float().reshape(images.shape)
    rows = [row for row, light in enumerate(lights) if light.blur]
    if rows:
        at = torch.tensor(rows, device=device)
        images[at] = blur(images[at], [lights[row].blur for row in rows])
    rows = [row for row, light in enumerate(lights) if light.noise]
    if rows:
        at = torch.tensor(rows, device=device)
        strength = torch.tensor([lights[row].noise for row in rows], device=device)
        crops = images[at]
        noise = torch.randn(crops.shape, generator=generator, device=device)
        noise *= strength[:, None, None, None]
        images[at] = (crops + noise).clamp(0, 255).floor()
    rows = [row for row, light in enumerate(lights) if light.quality]
    if rows:
        at = torch.tensor(rows, device=device)
        images[at] = compress(images[at], [lights[row].quality for row in rows])
    return images.contiguous(memory_format=torch.channels_last)


def blur(images: Tensor, sigmas: list[float]) -> Tensor:
    """Gaussian blur of (n, 3, h, w), each picture by its own standard deviation in pixels."""
    radii = [round(6 * sigma + 1) // 2 for sigma in sigmas]  # OpenCV's for pictures of bytes
    widest = max(radii)
    taps = np.zeros((len(sigmas), 2 * widest + 1), np.float32)
    for row, (sigma, radius) in enumerate(zip(sigmas, radii, strict=True)):
        kernel = cv2.getGaussianKernel(2 * radius + 1, sigma)[:, 0]
        taps[row, widest - radius : widest + radius + 1] = kernel
    weights = torch.from_numpy(taps).to(images.device).repeat_interleave(3, 0)[:, None]
    n, _, height, width = images.shape
    planes = functional.pad(images, (widest,) * 4, mode="reflect")
    planes = planes.reshape(1, 3 * n, height + 2 * widest, width + 2 * widest)
    planes = functional.conv2d(planes, weights[..., None, :], groups=3 * n)
    planes = functional.conv2d(planes, weights[..., None], groups=3 * n)
    return planes.reshape(images.shape).round().clamp(0, 255)
