"""A picture of the part map: the standing body from four sides."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bodypix.body import RAINBOW

from .assets import Assets, Floats
from .body import Body, Phenotype
from .camera import Camera
from .joints import rotations
from .materials import Material, MaterialTable
from .mesh import Mesh, make_mesh
from .partmap import PartMap
from .raster import Lights, render

ARMS = {"shoulder_lift": 28.0, "shoulder_plane": 80.0, "elbow": 12.0}


def draw_part_map(assets: Assets, parts: PartMap, path: Path, height: int = 560) -> None:
    """Write a PNG: front, the person's left, back, right; the original library's colours."""
    body = Body(assets, Phenotype())
    angles = {f"{name}.{side}": value for name, value in ARMS.items() for side in "LR"}
    points = body.skin(body.transforms(rotations(body, angles)))
    ours = np.isin(
        assets.groups,
        [assets.group_names.index(g) for g in ("body", "helper-l-eye", "helper-r-eye")],
    )
    table = MaterialTable()
    white = table.add(Material((1, 1, 1)))
    mesh = make_mesh(points, assets.faces[ours], white, part=parts.parts[ours], one_sided=True)
    middle = (
        points[assets.faces[ours]].min(axis=(0, 1)) + points[assets.faces[ours]].max(axis=(0, 1))
    ) / 2
    views = [_view(mesh, table, middle, angle, height) for angle in (0, 90, 180, 270)]
    cv2.imwrite(str(path), np.concatenate(views, axis=1)[..., ::-1])


def _view(
    mesh: Mesh, table: MaterialTable, middle: Floats, angle: float, height: int
) -> NDArray[np.uint8]:
    ahead = np.array([np.sin(np.radians(angle)), -np.cos(np.radians(angle)), 0], np.float32)
    camera = Camera(middle + 6 * ahead, middle, fov=14)
    grey = np.ones(3, np.float32)
    lights = Lights(ahead, 0.35 * grey, ahead, 0.3 * grey, 0.45 * grey, 0.25 * grey, 1.0)
    width = 2 * int(height * 0.62)
    seen = render(mesh, table, camera.matrix, camera.position, lights, width, 2 * height)
    colors = np.array([*RAINBOW, *[(250, 250, 250)] * (256 - len(RAINBOW))], np.float32)
    light = np.where(seen.part[..., None] == 255, 1, seen.color)
    drawn = np.clip(colors[seen.part] * light, 0, 255)
    return cv2.resize(drawn.astype(np.uint8), (width // 2, height), interpolation=cv2.INTER_AREA)
