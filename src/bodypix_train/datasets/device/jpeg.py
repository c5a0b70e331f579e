"""What JPEG leaves of a picture, without the file: baseline, 4:2:0 (ITU-T T.81, A and K)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
BLOCK = 8
# RGB -> Y, Cb, Cr of JFIF, the latter two around 0.
COLOURS = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32
)
_K = np.arange(BLOCK)
# Orthonormal DCT-II: row k is the k-th wave.
DCT = np.float32(
    np.where(_K[:, None] == 0, np.sqrt(1 / BLOCK), np.sqrt(2 / BLOCK))
    * np.cos((2 * _K + 1) * _K[:, None] * np.pi / (2 * BLOCK))
)


def compress(images: Tensor, qualities: list[int]) -> Tensor:
    """(n, 3, h, w) RGB levels 0..255, each as JPEG of its own quality, 1..100, gives it back."""
    height, width = images.shape[2:]
    device = images.device
    pad = (0, -width % (2 * BLOCK), 0, -height % (2 * BLOCK))
    colours = torch.from_numpy(COLOURS).to(device)
    planes = torch.einsum("kc,nchw->nkhw", colours, images).round()
    planes = functional.pad(planes, pad, mode="replicate")
    luma = quantize(planes[:, :1] - 128, tables(LUMA, qualities).to(device)) + 128
    halves = functional.avg_pool2d(planes[:, 1:], 2).round()
    chroma = quantize(halves, tables(CHROMA, qualities).to(device))
    # Decoders smooth the colours when they double them, within the picture.
    chroma = chroma[..., : (height + 1) // 2, : (width + 1) // 2]
    chroma = functional.interpolate(chroma, scale_factor=2.0, mode="bilinear")
    planes = torch.cat([luma[..., :height, :width], chroma[..., :height, :width]], 1)
    back = torch.from_numpy(np.linalg.inv(COLOURS)).to(device)
    return torch.einsum("ck,nkhw->nchw", back, planes).round().clamp(0, 255)


def tables(basis: tuple[tuple[int, ...], ...], qualities: list[int]) -> Tensor:
    """Quantization tables (n, 8, 8) as libjpeg scales them."""
    percent = [5000 // quality if quality < 50 else 200 - 2 * quality for quality in qualities]
    scaled = (np.array(basis) * np.array(percent)[:, None, None] + 50) // 100
    return torch.from_numpy(scaled.clip(1, 255).astype(np.float32))


def quantize(planes: Tensor, steps: Tensor) -> Tensor:
    """Blocks of 8x8 of (n, c, h, w) with waves in whole multiples of ``steps`` (n, 8, 8)."""
    n, c, height, width = planes.shape
    dct = torch.from_numpy(DCT).to(planes.device)
    blocks = planes.reshape(n, c, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    waves = torch.einsum("ui,ncaibj,vj->ncabuv", dct, blocks, dct)
    steps = steps[:, None, None, None]
    waves = (waves / steps).round() * steps
    return torch.einsum("ui,ncabuv,vj->ncaibj", dct, waves, dct).reshape(planes.shape).round()
