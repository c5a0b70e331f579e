"""What is behind people: photographs without people, or rooms made up on the spot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix_train.label import pictures

from .assets import Floats
from .camera import Camera
from .materials import Color
from .outfits import cloth_color

Bytes = NDArray[np.uint8]


def to_linear(image: Bytes) -> Floats:
    """sRGB bytes to linear light."""
    values = np.arange(256) / 255
    table = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return table.astype(np.float32)[image]


def list_backgrounds(folders: tuple[Path, ...]) -> list[Path]:
    """All pictures in the folders and in the folders directly below. Raises if there are none."""
    found = []
    for root in folders:
        if not root.is_dir():
            raise ValueError(
                f"backgrounds: expected a folder of pictures without people, got {root}"
            )
        for folder in (root, *sorted(p for p in root.iterdir() if p.is_dir())):
            found += pictures(folder)
    if folders and not found:
        raise ValueError(f"backgrounds: no picture in {', '.join(map(str, folders))}")
    return found


def photo(rng: np.random.Generator, path: Path, width: int, height: int) -> Floats | None:
    """(h, w, 3) linear: a random crop of a photograph; None where it cannot be read."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        return None
    image = image[..., ::-1]
    if rng.random() < 0.5:
        image = image[:, ::-1]
    rows, columns = image.shape[:2]
    fit = min(rows / height, columns / width) * rng.uniform(0.6, 1)
    h, w = max(int(height * fit), 8), max(int(width * fit), 8)
    h, w = min(h, rows), min(w, columns)
    y, x = rng.integers(rows - h + 1), rng.integers(columns - w + 1)
    crop = np.ascontiguousarray(image[y : y + h, x : x + w])
    shrink = cv2.INTER_AREA if w > width else cv2.INTER_CUBIC
    return to_linear(cv2.resize(crop, (width, height), interpolation=shrink))


@dataclass(frozen=True)
class Room:
    """An upright box around the scene; colours in linear RGB."""

    low: Floats  # (3,) corner
    high: Floats
    colors: tuple[Color, ...]  # of the six sides: -x, +x, -y, +y, floor, ceiling
    patterns: tuple[int, ...]  # 0 plain, 1 boards, 2 tiles, 3 stripes, 4 bricks
    scales: tuple[float, ...]
    panels: tuple[tuple[int, float, float, float, float, Color], ...]  # side, u, v, du, dv, colour


def draw_room(rng: np.random.Generator, reach: float) -> Room:
    """A room that a camera ``reach`` metres from the middle stands in."""
    half = reach + rng.uniform(0.3, 1.5, 2)
    deep = rng.uniform(0.8, 4.0, 2)
    low = np.array([-half[0], -half[1], 0.0], np.float32)
    high = np.array([half[0], half[1], rng.uniform(2.3, 3.6)], np.float32)
    side = int(rng.integers(4))
    (low if side % 2 == 0 else high)[side // 2] = (-1 if side % 2 == 0 else 1) * deep[0]
    wall = np.array(cloth_color(rng)) * 0.5 + 0.35 * rng.uniform(0.6, 1.4)
    colors = [tuple(np.clip(wall * rng.uniform(0.85, 1.15), 0.01, 0.9)) for _ in range(4)]
    if rng.random() < 0.3:
        colors[int(rng.integers(4))] = cloth_color(rng)
    floor = np.array(cloth_color(rng)) * 0.5 + np.array([0.25, 0.17, 0.1]) * rng.uniform(0.2, 1.2)
    patterns = [int(rng.choice([0, 0, 0, 3, 4])) for _ in range(4)] + [
        int(rng.choice([0, 1, 2])),
        0,
    ]
    panels = []
    for _ in range(int(rng.integers(2, 12))):
        kind = rng.random()
        du, dv = rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.7)
        v = rng.uniform(0.3, 2.2)
        if kind < 0.2:
            color = tuple(
                rng.uniform(1.0, 3.0) * np.array([1, 1, rng.uniform(0.9, 1.15)])
            )  # window
        elif kind < 0.35:
            color, dv, v, du = cloth_color(rng), 1.0, 1.0, 0.45  # door
        else:
            color = cloth_color(rng)
        panels.append((int(rng.integers(4)), rng.uniform(-3, 3), v, du, dv, color))
    return Room(
        low,
        high,
        (*colors, tuple(np.clip(floor, 0.01, 0.8)), (0.7, 0.7, 0.68)),
        tuple(patterns),
        tuple(rng.uniform(0.6, 2.5, 6)),
        tuple(panels),
    )


def render_room(
    room: Room, camera: Camera, width: int, height: int, light: Floats
) -> tuple[Floats, Floats]:
    """((h, w, 3) linear colour, (h, w) depth in metres) seen from inside; ``light`` (3,)."""
    rays = camera.rays(width, height)
    with np.errstate(divide="ignore", invalid="ignore"):
        ahead = (np.where(rays > 0, room.high, room.low) - camera.position) / rays
    ahead = np.where((ahead > 0) & np.isfinite(ahead), ahead, np.inf)
    axis = ahead.argmin(axis=2)
    depth = ahead.min(axis=2)
    place = camera.position + rays * depth[..., None]
    color = np.zeros((height, width, 3), np.float32)
    middle = 0.5 * (room.low + room.high)
    size = np.linalg.norm(room.high - room.low)
    for wall in range(6):
        ours = (axis == wall // 2) & (
            (np.take_along_axis(rays, axis[..., None], 2)[..., 0] > 0) == wall % 2
        )
        if not ours.any():
            continue
        at = place[ours]
        u = at[:, 1] if wall < 2 else at[:, 0]
        v = at[:, 2] if wall < 4 else at[:, 1]
        shade = _wall_pattern(room.patterns[wall], u * room.scales[wall], v * room.scales[wall])
        painted = np.array(room.colors[wall]) * shade[:, None]
        for side, pu, pv, du, dv, panel in room.panels:
            if side == wall:
                inside = (np.abs(u - pu) < du) & (np.abs(v - pv) < dv)
                frame = inside & ((np.abs(u - pu) > du - 0.04) | (np.abs(v - pv) > dv - 0.04))
                painted[inside] = panel
                painted[frame] = 0.6 * np.array(panel[::-1])
        # Corners are darker, and the light fades with the distance.
        edge = np.minimum(at - room.low, room.high - at)
        edge = np.sort(edge, axis=1)[:, 1]
        fade = (0.62 + 0.38 * np.clip(edge / 0.7, 0, 1)) * (
            1.1 - 0.5 * np.linalg.norm(at - middle, axis=1) / size
        )
        color[ours] = painted * fade[:, None] * light
    return color, depth.astype(np.float32)


def _wall_pattern(kind: int, u: Floats, v: Floats) -> Floats:
    if kind == 1:  # boards
        board = np.floor(u * 6)
        tone = 0.8 + 0.4 * np.mod(np.sin(board * 12.9898) * 43758.5, 1)
        return tone * np.where(np.mod(u * 6, 1) < 0.04, 0.5, 1)
    if kind == 2:  # tiles
        return np.where((np.mod(u * 2, 1) < 0.03) | (np.mod(v * 2, 1) < 0.03), 0.6, 1.0)
    if kind == 3:
        return np.where(np.mod(u * 5, 1) < 0.5, 0.88, 1.06)
    if kind == 4:  # bricks
        row = np.floor(v * 8)
        along = u * 3 + 0.5 * np.mod(row, 2)
        tone = 0.8 + 0.4 * np.mod(np.sin(row * 78.2 + np.floor(along) * 12.9) * 4375.5, 1)
        return tone * np.where((np.mod(v * 8, 1) < 0.12) | (np.mod(along, 1) < 0.05), 1.25, 1)
    return np.ones_like(u)
