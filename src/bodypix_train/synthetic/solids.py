"""Boxes, cylinders, balls, tubes and discs, to make things of."""

from __future__ import annotations

import numpy as np

from .assets import Floats, Ints

Solid = tuple[Floats, Ints]
"""(V, 3) points and (F, 3) triangles, counter-clockwise seen from outside."""


def box(
    size: Floats | tuple[float, float, float], at: Floats | tuple[float, ...] = (0, 0, 0)
) -> Solid:
    """A box with its middle at ``at``; every face has its own corners, so that edges stay sharp."""
    points, faces = [], []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            u, v = [k for k in range(3) if k != axis]
            corners = np.zeros((4, 3))
            corners[:, axis] = sign
            corners[:, u] = (-1, 1, 1, -1)
            corners[:, v] = (-1, -1, 1, 1)
            flip = sign * (1 if axis != 1 else -1) < 0
            start = 4 * len(points)
            quad = [start, start + 1, start + 2, start + 3]
            quad = quad[::-1] if flip else quad
            faces += [[quad[0], quad[1], quad[2]], [quad[0], quad[2], quad[3]]]
            points.append(corners)
    scaled = np.concatenate(points) * np.asarray(size) / 2 + np.asarray(at)
    return scaled.astype(np.float32), np.array(faces, np.int32)


def turned(profile: list[tuple[float, float]], sides: int = 20) -> Solid:
    """A solid of revolution about z from (radius, height) pairs, from the bottom up."""
    angles = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    rings = [
        np.stack([r * np.cos(angles), r * np.sin(angles), np.full(sides, z)], axis=1)
        for r, z in profile
    ]
    faces = []
    for ring in range(len(profile) - 1):
        for k in range(sides):
            a, b = ring * sides + k, ring * sides + (k + 1) % sides
            faces += [[a, b, b + sides], [a, b + sides, a + sides]]
    return np.concatenate(rings).astype(np.float32), np.array(faces, np.int32)


def ball(radius: Floats | float = 1.0, sides: int = 18) -> Solid:
    """A ball, or an ellipsoid of three radii."""
    angles = np.linspace(-np.pi / 2, np.pi / 2, sides // 2 + 1)
    points, faces = turned([(float(np.cos(a)), float(np.sin(a))) for a in angles], sides)
    return (points * np.asarray(radius, np.float32)).astype(np.float32), faces


def tube(path: Floats, radius: float, *, closed: bool = False, sides: int = 6) -> Solid:
    """A round wire along (N, 3) points."""
    count = len(path)
    if closed:
        ahead = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    else:
        ahead = np.gradient(path, axis=0)
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    side = np.cross(ahead, (0.31, 0.17, 0.94))
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    up = np.cross(side, ahead)
    angles = np.linspace(0, 2 * np.pi, sides, endpoint=False)[:, None, None]
    rings = path + radius * (np.cos(angles) * side + np.sin(angles) * up)
    points = rings.transpose(1, 0, 2).reshape(-1, 3)
    faces = []
    for ring in range(count if closed else count - 1):
        after = (ring + 1) % count
        for k in range(sides):
            a, b = ring * sides + k, ring * sides + (k + 1) % sides
            c, d = after * sides + k, after * sides + (k + 1) % sides
            faces += [[a, c, b], [b, c, d]]
    return points.astype(np.float32), np.array(faces, np.int32)


def brim(
    inner: tuple[float, float], outer: tuple[float, float], degrees: float, droop: float
) -> Solid:
    """A flat ring sector about z around -y, from an inner to an outer ellipse (x and y radii)."""
    angles = np.radians(np.linspace(-degrees, degrees, 25))
    rings = []
    for share in (0.0, 0.5, 1.0):
        rx, ry = (a + share * (b - a) for a, b in zip(inner, outer, strict=True))
        z = -droop * share**2 * np.ones_like(angles)
        rings.append(np.stack([rx * np.sin(angles), -ry * np.cos(angles), z], axis=1))
    count = len(angles)
    faces = []
    for ring in range(2):
        for k in range(count - 1):
            a = ring * count + k
            faces += [[a, a + 1, a + count], [a + 1, a + count + 1, a + count]]
    return np.concatenate(rings).astype(np.float32), np.array(faces, np.int32)
