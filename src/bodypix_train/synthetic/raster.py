"""Triangles to pixels: two warp kernels that run on the CPU or a GPU.

``_cover`` keeps the nearest triangle of every pixel, ``_shade`` lights it. Both see one long list
of triangles; whose they are and what they are made of comes from arrays beside it. A mesh may
carry a scalar ``cut`` at its vertices: pixels where it is negative are not there, which is how
sleeves, hems and hairlines end smoothly in the middle of triangles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import warp as wp
from numpy.typing import NDArray

from .materials import MaterialTable
from .mesh import Mesh

Floats = NDArray[np.float32]

NOTHING = wp.constant(wp.int64(0x7FFFFFFFFFFFFFFF))
NEAR = 0.05  # metres: triangles that come nearer are left out


@dataclass(frozen=True)
class Lights:
    """Light in linear RGB. ``sun`` points from the scene to the light."""

    sun: Floats  # (3,) unit
    sun_color: Floats
    fill: Floats  # (3,) unit, casts no shadow
    fill_color: Floats
    sky: Floats  # from above
    ground: Floats  # from below
    softness: float  # of shadow edges, in shadow map texels


@dataclass(frozen=True)
class Surface:
    """What the camera sees, by pixel.

    color (h, w, 3) float32 linear; depth (h, w) float32 metres along the axis, inf where nothing
    is; part (h, w) uint8, 255 where no person is; owner (h, w) int32, -1 likewise.
    """

    color: Floats
    depth: Floats
    part: NDArray[np.uint8]
    owner: NDArray[np.int32]


@wp.kernel
def _cover(
    points: wp.array(dtype=wp.vec3),
    cuts: wp.array(dtype=wp.float32),
    rest: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    fray: wp.array(dtype=wp.float32),
    one_sided: wp.array(dtype=wp.uint8),
    width: wp.int32,
    height: wp.int32,
    parallel: wp.int32,
    keys: wp.array(dtype=wp.int64),
):
    """``points``: pixel x, pixel y and 1/depth of every vertex, or depth where ``parallel``.

    What is not positive there is behind the camera.
    """
    t = wp.tid()
    i = faces[t, 0]
    j = faces[t, 1]
    k = faces[t, 2]
    a = points[i]
    b = points[j]
    c = points[k]
    if a[2] <= 0.0 or b[2] <= 0.0 or c[2] <= 0.0:
        return
    if cuts[i] < -0.02 and cuts[j] < -0.02 and cuts[k] < -0.02:
        return
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if wp.abs(area) < 1.0e-9 or (one_sided[t] != wp.uint8(0) and area > 0.0):
        return
    left = wp.max(int(wp.ceil(wp.min(a[0], wp.min(b[0], c[0])) - 0.5)), 0)
    right = wp.min(int(wp.floor(wp.max(a[0], wp.max(b[0], c[0])) - 0.5)), width - 1)
    top = wp.max(int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])) - 0.5)), 0)
    bottom = wp.min(int(wp.floor(wp.max(a[1], wp.max(b[1], c[1])) - 0.5)), height - 1)
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            px = float(x) + 0.5
            py = float(y) + 0.5
            u = ((b[0] - px) * (c[1] - py) - (b[1] - py) * (c[0] - px)) / area
            v = ((c[0] - px) * (a[1] - py) - (c[1] - py) * (a[0] - px)) / area
            w = 1.0 - u - v
            if u >= 0.0 and v >= 0.0 and w >= 0.0:
                distance = u * a[2] + v * b[2] + w * c[2]
                pu = u
                pv = v
                if parallel == 0:
                    pu = u * a[2] / distance
                    pv = v * b[2] / distance
                    distance = 1.0 / distance
                pw = 1.0 - pu - pv
                cut = pu * cuts[i] + pv * cuts[j] + pw * cuts[k]
                ragged = fray[t]
                if ragged > 0.0:
                    place = pu * rest[i] + pv * rest[j] + pw * rest[k]
                    seed = wp.rand_init(7)
                    strand = wp.vec3(place[0] * 320.0, place[1] * 320.0, place[2] * 18.0)
                    cut = cut + ragged * wp.noise(seed, strand)
                if cut >= 0.0:
                    # Positive floats sort like their bits.
                    bits = wp.int64(wp.cast(distance, wp.int32))
                    key = bits * wp.int64(4294967296) + wp.int64(t)
                    wp.atomic_min(keys, y * width + x, key)


@wp.func
def _pattern(kind: wp.int32, p: wp.vec3, scale: wp.float32, seed: wp.uint32) -> wp.float32:
    """How far a pixel takes the material's second colour, 0..1. ``p``: metres in rest pose."""
    if kind == 1:  # stripes around
        return wp.float32(wp.step(wp.sin(p[2] * scale)))
    if kind == 2:  # stripes down
        return wp.float32(wp.step(wp.sin((p[0] + 0.6 * p[1]) * scale)))
    if kind == 3:  # checks
        across = wp.sin((p[0] + 0.5 * p[1]) * scale)
        return 0.5 * (wp.float32(wp.step(across)) + wp.float32(wp.step(wp.sin(p[2] * scale))))
    if kind == 4:  # dots
        dot = wp.sin(p[0] * scale) * wp.sin((p[2] + 0.3 * p[1]) * scale)
        return wp.float32(wp.step(0.45 - dot))
    if kind == 5:  # patches
        n = wp.noise(seed, p * scale * 0.12) + 0.5 * wp.noise(seed, p * scale * 0.31)
        return wp.clamp(0.5 + 6.0 * n, 0.0, 1.0)
    if kind == 6:  # denim, wool: grain
        n = wp.noise(seed, wp.vec3(p[0] * 900.0, p[1] * 900.0, p[2] * 260.0))
        return wp.clamp(0.35 + 0.5 * n + 0.9 * wp.noise(seed, p * 5.0), 0.0, 1.0)
    if kind == 7:  # hair: strands
        strands = wp.vec3(p[0] * 260.0, p[1] * 260.0, p[2] * 14.0)
        n = wp.noise(seed, strands) + 0.6 * wp.noise(seed, strands * 0.37)
        return wp.clamp(0.4 + 0.8 * n, 0.0, 1.0)
    if kind == 8:  # skin: blotches and pores
        n = wp.noise(seed, p * 25.0) + 0.5 * wp.noise(seed, p * 140.0)
        return wp.clamp(0.5 + 0.7 * n, 0.0, 1.0)
    if kind == 9:  # a print on the chest
        x = wp.abs(p[0])
        z = wp.abs(p[2] - 0.60)
        if p[1] < 0.0 and x < 0.10 and z < 0.085:
            n = wp.noise(seed, wp.vec3(p[0] * scale, 0.0, p[2] * scale))
            return wp.float32(wp.step(-n - 0.05))
        return 0.0
    if kind == 10:  # wood
        ring = wp.noise(seed, wp.vec3(p[0] * 2.0, p[1] * 30.0, p[2] * 30.0))
        return wp.clamp(0.5 + 0.8 * ring, 0.0, 1.0)
    if kind == 11:  # broad band
        return wp.float32(wp.step(wp.abs(p[2] - 0.55) - 0.07))
    return 0.0


@wp.kernel
def _shade(
    keys: wp.array(dtype=wp.int64),
    points: wp.array(dtype=wp.vec3),
    world: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    rest: wp.array(dtype=wp.vec3),
    tints: wp.array(dtype=wp.vec3),
    faces: wp.array2d(dtype=wp.int32),
    parts: wp.array(dtype=wp.uint8),
    owners: wp.array(dtype=wp.int32),
    materials: wp.array(dtype=wp.int32),
    kinds: wp.array(dtype=wp.int32),
    first: wp.array(dtype=wp.vec3),
    second: wp.array(dtype=wp.vec3),
    numbers: wp.array2d(dtype=wp.float32),
    eye: wp.vec3,
    sun: wp.vec3,
    sun_color: wp.vec3,
    fill: wp.vec3,
    fill_color: wp.vec3,
    sky: wp.vec3,
    ground: wp.vec3,
    shadow: wp.array(dtype=wp.int64),
    shadow_view: wp.mat44,
    shadow_size: wp.int32,
    texel: wp.float32,
    softness: wp.float32,
    width: wp.int32,
    color: wp.array(dtype=wp.vec3),
    depth: wp.array(dtype=wp.float32),
    part: wp.array(dtype=wp.uint8),
    owner: wp.array(dtype=wp.int32),
):
    pixel = wp.tid()
    key = keys[pixel]
    if key == NOTHING:
        return
    t = wp.int32(key % wp.int64(4294967296))
    i = faces[t, 0]
    j = faces[t, 1]
    k = faces[t, 2]
    a = points[i]
    b = points[j]
    c = points[k]
    px = float(pixel % width) + 0.5
    py = float(pixel / width) + 0.5
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    u = ((b[0] - px) * (c[1] - py) - (b[1] - py) * (c[0] - px)) / area
    v = ((c[0] - px) * (a[1] - py) - (c[1] - py) * (a[0] - px)) / area
    inverse = u * a[2] + v * b[2] + (1.0 - u - v) * c[2]
    u = u * a[2] / inverse
    v = v * b[2] / inverse
    w = 1.0 - u - v
    place = u * world[i] + v * world[j] + w * world[k]
    p = u * rest[i] + v * rest[j] + w * rest[k]
    tint = u * tints[i] + v * tints[j] + w * tints[k]
    normal = wp.normalize(u * normals[i] + v * normals[j] + w * normals[k])
    view = wp.normalize(eye - place)
    if wp.dot(normal, view) < 0.0:
        flat = wp.cross(world[j] - world[i], world[k] - world[i])
        if wp.dot(flat, view) < 0.0:
            normal = -normal  # the inside of a sleeve or skirt

    m = materials[t]
    kind = kinds[m]
    seed = wp.rand_init(m + 11)
    blend = _pattern(kind, p, numbers[m, 0], seed)
    albedo = wp.cw_mul(first[m] * (1.0 - blend) + second[m] * blend, tint)

    bump = numbers[m, 1]
    if bump > 0.0:  # folds: tilt the normal by the slope of noise in rest space
        q = p * numbers[m, 2]
        step = 0.12
        here = wp.noise(seed, q)
        tilt = wp.vec3(
            wp.noise(seed, q + wp.vec3(step, 0.0, 0.0)) - here,
            wp.noise(seed, q + wp.vec3(0.0, step, 0.0)) - here,
            wp.noise(seed, q + wp.vec3(0.0, 0.0, step)) - here,
        )
        normal = wp.normalize(normal - tilt * (bump / step))
        albedo = albedo * (1.0 + 0.2 * bump * here)

    lit = 0.0
    sunny = wp.dot(normal, sun)
    if sunny > 0.0:
        # Offset along the normal against self-shadowing.
        s = shadow_view * wp.vec4(
            place[0] + 0.012 * normal[0],
            place[1] + 0.012 * normal[1],
            place[2] + 0.012 * normal[2],
            1.0,
        )
        # Neighbouring texels of a slanting surface differ in depth: that is no shadow.
        slope = wp.min(wp.sqrt(1.0 - sunny * sunny) / sunny, 4.0)
        bias = 0.006 + 1.5 * texel * (softness + 0.7) * slope
        count = 0.0
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                sx = wp.clamp(int(s[0] + float(dx) * softness), 0, shadow_size - 1)
                sy = wp.clamp(int(s[1] + float(dy) * softness), 0, shadow_size - 1)
                hit = shadow[sy * shadow_size + sx]
                if hit != NOTHING:
                    stored = wp.cast(wp.int32(hit / wp.int64(4294967296)), wp.float32)
                    if stored < s[2] - bias:
                        count = count + 1.0
        lit = sunny * (1.0 - count / 9.0)

    up = 0.5 + 0.5 * normal[2]
    around = sky * up + ground * (1.0 - up)
    light = around + sun_color * lit + fill_color * wp.max(wp.dot(normal, fill), 0.0)
    soft = numbers[m, 5]  # light that wraps through skin
    if soft > 0.0:
        wrap = wp.max((wp.dot(normal, sun) + 0.4) / 1.4, 0.0) - wp.max(sunny, 0.0)
        warm = wp.vec3(0.45, 0.12, 0.06) * (soft * wrap * 0.6)
        light = light + wp.cw_mul(sun_color, warm)
    out = wp.cw_mul(albedo, light)
    shine = numbers[m, 3]
    if shine > 0.0:
        half = wp.normalize(view + sun)
        edge = wp.pow(1.0 - wp.max(wp.dot(normal, view), 0.0), 4.0)
        glint = wp.pow(wp.max(wp.dot(normal, half), 0.0), numbers[m, 4]) * wp.step(-lit)
        out = out + sun_color * (shine * glint) + around * (0.6 * shine * edge)
    color[pixel] = out
    depth[pixel] = 1.0 / inverse
    part[pixel] = parts[t]
    owner[pixel] = owners[t]


def project(points: Floats, matrix: Floats, width: int, height: int) -> Floats:
    """(V, 3) pixel x, pixel y, 1/depth of world points under a (3, 4) camera matrix.

    The matrix gives x and y of the image plane times depth, and depth; x and y in -1..1 span the
    width, y downwards.
    """
    seen = points @ matrix[:, :3].T + matrix[:, 3]
    inverse = np.where(seen[:, 2] > NEAR, 1 / np.maximum(seen[:, 2], NEAR), -1).astype(np.float32)
    x = (seen[:, 0] * inverse + 1) * (width / 2)
    y = seen[:, 1] * inverse * (width / 2) + height / 2
    return np.ascontiguousarray(np.stack([x, y, inverse], axis=1), dtype=np.float32)


def render(
    mesh: Mesh,
    table: MaterialTable,
    matrix: Floats,
    eye: Floats,
    lights: Lights,
    width: int,
    height: int,
    *,
    device: str = "cpu",
    shadow_size: int = 768,
) -> Surface:
    """The scene ``mesh`` seen through a camera, one sample per pixel."""
    with wp.ScopedDevice(device):
        world = wp.array(mesh.points, dtype=wp.vec3)
        rest = wp.array(mesh.rest, dtype=wp.vec3)
        cuts = wp.array(mesh.cut, dtype=wp.float32)
        faces = wp.array(mesh.faces, dtype=wp.int32)
        fray = wp.array(table.fray[mesh.material], dtype=wp.float32)
        one_sided = wp.array(mesh.one_sided, dtype=wp.uint8)

        def cover(
            points: Floats, columns: int, rows: int, sides: wp.array, parallel: bool
        ) -> tuple[wp.array, wp.array]:
            keys = wp.full(columns * rows, value=NOTHING, dtype=wp.int64)
            on_screen = wp.array(points, dtype=wp.vec3)
            settings = [fray, sides, columns, rows, int(parallel), keys]
            wp.launch(_cover, dim=len(mesh.faces), inputs=[on_screen, cuts, rest, faces, *settings])
            return keys, on_screen

        view = _shadow_view(mesh.points[mesh.casts], lights.sun, shadow_size)
        flat = (mesh.points @ view[:3, :3].T + view[:3, 3]).astype(np.float32)
        flat[~mesh.casts, 2] = -1
        all_sides = wp.zeros(len(mesh.faces), dtype=wp.uint8)
        shadow, _ = cover(flat, shadow_size, shadow_size, all_sides, True)
        points = project(mesh.points, matrix, width, height)
        keys, on_screen = cover(points, width, height, one_sided, False)

        color = wp.zeros(width * height, dtype=wp.vec3)
        depth = wp.full(width * height, value=float("inf"), dtype=wp.float32)
        part = wp.full(width * height, value=255, dtype=wp.uint8)
        owner = wp.full(width * height, value=-1, dtype=wp.int32)
        wp.launch(
            _shade,
            dim=width * height,
            inputs=[
                keys,
                on_screen,
                world,
                wp.array(mesh.normals, dtype=wp.vec3),
                rest,
                wp.array(mesh.tint, dtype=wp.vec3),
                faces,
                wp.array(mesh.part, dtype=wp.uint8),
                wp.array(mesh.owner, dtype=wp.int32),
                wp.array(mesh.material, dtype=wp.int32),
                wp.array(table.kind, dtype=wp.int32),
                wp.array(table.first, dtype=wp.vec3),
                wp.array(table.second, dtype=wp.vec3),
                wp.array(table.numbers, dtype=wp.float32),
                wp.vec3(*eye),
                wp.vec3(*lights.sun),
                wp.vec3(*lights.sun_color),
                wp.vec3(*lights.fill),
                wp.vec3(*lights.fill_color),
                wp.vec3(*lights.sky),
                wp.vec3(*lights.ground),
                shadow,
                wp.mat44(*view.flatten()),
                shadow_size,
                1 / float(np.linalg.norm(view[0, :3])),  # metres per texel
                lights.softness,
                width,
            ],
            outputs=[color, depth, part, owner],
        )
        shape = (height, width)
        return Surface(
            color.numpy().reshape(height, width, 3),
            depth.numpy().reshape(shape),
            part.numpy().reshape(shape),
            owner.numpy().reshape(shape),
        )


def _shadow_view(points: Floats, sun: Floats, size: int) -> Floats:
    """(4, 4): world to shadow map texels and distance from the light, positive."""
    side = np.cross(sun, (0.3, 0.9, 0.1))
    side /= np.linalg.norm(side)
    axes = np.stack([side, np.cross(sun, side), -sun]).astype(np.float32)
    seen = points @ axes.T
    low, high = seen.min(axis=0), seen.max(axis=0)
    scale = (size - 4) / max(high[0] - low[0], high[1] - low[1], 1e-3)
    view = np.eye(4, dtype=np.float32)
    view[:2, :3] = axes[:2] * scale
    view[2, :3] = axes[2]
    view[:2, 3] = 2 - low[:2] * scale
    view[2, 3] = 1 - low[2]
    return view
