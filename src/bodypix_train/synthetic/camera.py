"""A pinhole camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .assets import Floats


@dataclass(frozen=True)
class Camera:
    """``position`` and ``target`` in metres; ``fov``: degrees across the picture's width."""

    position: Floats
    target: Floats
    fov: float
    roll: float = 0.0

    @property
    def axes(self) -> Floats:
        """(3, 3) rows: to the right, down, ahead; in world space."""
        ahead = self.target - self.position
        ahead = ahead / np.linalg.norm(ahead)
        right = np.cross(ahead, (0.0, 0.0, 1.0))
        right = right / np.linalg.norm(right)
        down = np.cross(ahead, right)
        cos, sin = np.cos(np.radians(self.roll)), np.sin(np.radians(self.roll))
        return np.stack([cos * right + sin * down, cos * down - sin * right, ahead]).astype(
            np.float32
        )

    @property
    def matrix(self) -> Floats:
        """(3, 4) for ``raster.project``: image x and y times depth, depth."""
        axes = self.axes
        scale = np.array([1, 1, 0], np.float32) / np.tan(np.radians(self.fov / 2))
        scale[2] = 1
        turned = axes * scale[:, None]
        return np.concatenate([turned, -(turned @ self.position)[:, None]], axis=1).astype(
            np.float32
        )

    def rays(self, width: int, height: int) -> Floats:
        """(h, w, 3) direction through every pixel's centre, one metre deep."""
        x = ((np.arange(width) + 0.5) / (width / 2) - 1)[None, :, None]
        y = ((np.arange(height) + 0.5 - height / 2) / (width / 2))[:, None, None]
        tangent = np.tan(np.radians(self.fov / 2))
        right, down, ahead = self.axes
        return (ahead + tangent * (x * right + y * down)).astype(np.float32)
