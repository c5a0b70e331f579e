"""A contact sheet: pictures beside their part maps, to look at."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.body import RAINBOW
from bodypix.files import write_whole

from .shards import Files, decode_image, read_shards

CELL = 232  # pixels across
SEEN, HIDDEN = (255, 255, 255), (255, 40, 40)


def write_sheet(folder: Path, path: Path, *, count: int = 24, columns: int = 4) -> None:
    """The first ``count`` pictures of a folder of shards, as a JPEG."""
    cells = [_cell(files) for _, files in itertools.islice(read_shards(folder), count)]
    if not cells:
        raise ValueError(f"{folder}: expected shards with pictures, found none")
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    rows = [np.concatenate(cells[k : k + columns], axis=1) for k in range(0, len(cells), columns)]
    done, buffer = cv2.imencode(
        ".jpg", np.concatenate(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88]
    )
    if not done:
        raise ValueError(f"{path}: cannot make a JPEG of {len(cells)} pictures")
    write_whole(path, lambda file: file.write(buffer.tobytes()))


def _cell(files: Files) -> NDArray[np.uint8]:
    image = decode_image(files["jpg"])
    parts = decode_image(files["parts.png"])
    colors = np.array([(0, 0, 0), *RAINBOW], np.float32)[parts]
    share = np.where(parts[..., None] > 0, 0.7, 0.0)
    drawn = (image * 0.3 + colors * share).astype(np.uint8)
    for person in json.loads(files["json"])["keypoints"]:
        for x, y, visible in person:
            if visible:
                color = SEEN if visible == 2 else HIDDEN
                cv2.circle(drawn, (round(x), round(y)), 3, color, -1, cv2.LINE_AA)
    cell = np.zeros((CELL, 2 * CELL, 3), np.uint8)
    scale = (CELL - 4) / max(image.shape[:2])
    for index, picture in enumerate((image, drawn)):
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        y = (CELL - small.shape[0]) // 2
        x = index * CELL + (CELL - small.shape[1]) // 2
        cell[y : y + small.shape[0], x : x + small.shape[1]] = small
    return cell
