"""Masks in COCO's run-length encoding."""

from __future__ import annotations

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from bodypix_train.datasets.coco import decode, run_lengths


def test_runs_of_compressed_masks() -> None:
    mask = np.zeros((70, 90), np.uint8)
    mask[3:50, 10:60] = 1
    mask[20:30, 30:80] ^= 1
    rle = coco_mask.encode(np.asfortranarray(mask))
    runs = run_lengths(rle["counts"])
    flat = np.repeat(np.arange(len(runs)) % 2, runs)
    assert np.array_equal(flat.reshape(90, 70).T, mask)
    assert np.array_equal(decode({"size": [70, 90], "counts": runs}, 70, 90), mask > 0)
    with pytest.raises(ValueError, match="RLE"):
        decode({"size": [70, 90], "counts": rle["counts"][:-3]}, 70, 90)
    with pytest.raises(ValueError, match="RLE: expected 6300 pixels"):
        decode({"size": [90, 70], "counts": rle["counts"]}, 70, 90)
