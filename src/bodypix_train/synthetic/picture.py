"""A scene -> a picture with its exact labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .assets import Floats, load_assets
from .backdrop import list_backgrounds, photo, render_room
from .mesh import NOBODY, join
from .person import DEPTH_OF_KEYPOINT, Casting
from .raster import Surface, project, render
from .scene import Scene, draw_scene
from .sensor import draw_sensor, expose

Bytes = NDArray[np.uint8]

SAMPLES = 3  # per pixel and axis
FAR = 65535  # depth of what is further than that, or a photograph


@dataclass(frozen=True)
class Settings:
    """What decides a data set. ``backgrounds``: folders of pictures without people."""

    seed: int = 0
    side: int = 384
    backgrounds: tuple[Path, ...] = ()
    photo_share: float = 0.7  # of pictures with a photograph behind, where there are any
    device: str = "cpu"


@dataclass(frozen=True)
class Picture:
    """A labelled picture.

    | field     | shape       | meaning                                                         |
    | --------- | ----------- | --------------------------------------------------------------- |
    | image     | (h, w, 3)   | RGB, uint8                                                      |
    | alpha     | (h, w)      | uint8, 255: person (clothes, hair, hats, glasses; not bags)     |
    | parts     | (h, w)      | uint8, part id where alpha is at least a half, else 255         |
    | people    | (h, w)      | uint8, index of the person likewise, else 255                   |
    | depth     | (h, w)      | uint16, millimetres along the camera's axis; 65535: unknown     |
    | keypoints | (P, 17, 3)  | x, y in pixels, COCO visibility 0 outside, 1 hidden, 2 seen     |
    | about     |             | what was drawn by lot, for tables by group                      |
    """

    image: Bytes
    alpha: Bytes
    parts: Bytes
    people: Bytes
    depth: NDArray[np.uint16]
    keypoints: Floats
    quality: int
    about: dict[str, Any] = field(default_factory=dict)


class Studio:
    """Makes pictures by number; the same settings and number give the same picture."""

    def __init__(self, settings: Settings, cache: Path | None = None) -> None:
        import warp

        warp.config.log_level = warp.LOG_ERROR  # it greets, and misses a GPU, aloud
        self.settings = settings
        self.casting = Casting(load_assets(cache))
        self.backgrounds = list_backgrounds(settings.backgrounds)

    def picture(self, index: int) -> Picture:
        rng = np.random.default_rng([self.settings.seed, index])
        back, name = self._draw_photo(rng)
        mean = back.mean(axis=(0, 1)) if back is not None else None
        scene = draw_scene(rng, self.casting, side=self.settings.side, behind=mean)
        return photograph(rng, scene, back, name, self.settings.device)

    def _draw_photo(self, rng: np.random.Generator) -> tuple[Floats | None, str]:
        if not self.backgrounds or rng.random() > self.settings.photo_share:
            return None, "room"
        path = self.backgrounds[int(rng.integers(len(self.backgrounds)))]
        side = self.settings.side
        return photo(rng, path, side, side), path.name


def photograph(
    rng: np.random.Generator, scene: Scene, back: Floats | None, back_name: str, device: str
) -> Picture:
    """Render, put before the background and take the photo; ``back`` is cut to the size."""
    width, height = scene.width, scene.height
    mesh = join([m for person in scene.people for m in person.meshes] + scene.things)
    seen = render(
        mesh,
        scene.table,
        scene.camera.matrix,
        scene.camera.position,
        scene.lights,
        SAMPLES * width,
        SAMPLES * height,
        device=device,
    )
    shadow = _floor_shadow(scene)
    far = np.full((height, width), np.inf, np.float32)
    if back is not None:
        behind = np.ascontiguousarray(back[:height, :width])
        behind = behind * (1 - rng.uniform(0.2, 0.6) * shadow[..., None])
    elif scene.room is not None:
        around = scene.lights.sky + 0.5 * scene.lights.ground + 0.4 * scene.lights.sun_color
        behind, far = render_room(scene.room, scene.camera, width, height, around)
        behind = behind * (1 - 0.55 * shadow[..., None])
    else:
        raise ValueError("scene: expected a room or a photograph behind it")
    if scene.framing == "webcam" and rng.random() < 0.25:
        behind = cv2.GaussianBlur(behind, (0, 0), rng.uniform(1, 6))

    thing = np.isfinite(seen.depth)
    color = np.where(thing[..., None], seen.color, 0)
    size = (width, height)
    color = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(thing.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize((seen.owner >= 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    light = color + behind * (1 - cover[..., None])
    light = _level(light, rng)

    sensor = draw_sensor(rng)
    image, alpha = expose(rng, light.astype(np.float32), alpha, sensor)
    parts, people, depth = _labels(seen, far, alpha)
    keypoints = _keypoints(scene, seen)
    about = {
        "framing": scene.framing,
        "background": back_name,
        "fov": round(scene.camera.fov, 1),
        "people": [
            {
                "pose": person.pose.name,
                "skin_tone": round(person.looks.tone, 2),
                "age": round(person.phenotype.age, 2),
                "gender": round(person.phenotype.gender, 2),
                "hair": person.looks.style,
                "hat": person.looks.hat,
                "glasses": person.looks.glasses,
            }
            for person in scene.people
        ],
    }
    return Picture(
        image,
        (255 * alpha + 0.5).astype(np.uint8),
        parts,
        people,
        depth,
        keypoints,
        sensor.quality,
        about,
    )


def _level(light: Floats, rng: np.random.Generator) -> Floats:
    """A camera's automatic exposure: it brings dark and bright scenes nearer to each other."""
    mean = float(np.exp(np.log(light.mean(axis=2) + 0.01).mean()))
    return light * np.float32((0.2 / mean) ** rng.uniform(0.4, 0.9))


def _labels(seen: Surface, far: Floats, alpha: Floats) -> tuple[Bytes, Bytes, NDArray[np.uint16]]:
    """Per pixel: the sample in the middle, or the first that shows a person."""
    height, width = alpha.shape

    def samples(values: NDArray[Any]) -> NDArray[Any]:
        split = values.reshape(height, SAMPLES, width, SAMPLES).transpose(0, 2, 1, 3)
        split = split.reshape(height, width, SAMPLES * SAMPLES)
        middle = SAMPLES * SAMPLES // 2
        return np.concatenate([split[..., middle:], split[..., :middle]], axis=2)

    owner = samples(seen.owner)
    first = (owner >= 0).argmax(axis=2)[..., None]

    def pick(values: NDArray[Any], at: NDArray[Any]) -> NDArray[Any]:
        return np.take_along_axis(values, at, axis=2)[..., 0]

    person = (alpha >= 0.5) & (pick(owner, first) >= 0)
    parts = np.where(person, pick(samples(seen.part), first), NOBODY).astype(np.uint8)
    people = np.where(person, pick(owner, first), NOBODY).astype(np.uint8)
    chosen = np.where(person[..., None], first, 0)
    depth = np.minimum(pick(samples(seen.depth), chosen), far)
    return parts, people, np.minimum(np.nan_to_num(depth * 1000, posinf=FAR), FAR).astype(np.uint16)


def _keypoints(scene: Scene, seen: Surface) -> Floats:
    """(P, 17, 3); a point is seen if its person is what the camera sees there, close before it."""
    height, width = seen.depth.shape
    result = np.zeros((len(scene.people), len(DEPTH_OF_KEYPOINT), 3), np.float32)
    for index, person in enumerate(scene.people):
        points = project(person.keypoints, scene.camera.matrix, width, height)
        x, y, inverse = points.T
        inside = (inverse > 0) & (x >= 0) & (y >= 0) & (x < width) & (y < height)
        at_x, at_y = (np.clip(v, 0, m - 1).astype(int) for v, m in ((x, width), (y, height)))
        before = seen.depth[at_y, at_x]
        depth = np.where(inside, 1 / np.where(inside, inverse, 1), 0)
        visible = (seen.owner[at_y, at_x] == index) & (before > depth - DEPTH_OF_KEYPOINT)
        result[index, :, 0] = np.where(inside, x / SAMPLES, 0)
        result[index, :, 1] = np.where(inside, y / SAMPLES, 0)
        result[index, :, 2] = np.where(inside, 1 + visible, 0)
    return result


def _floor_shadow(scene: Scene) -> Floats:
    """(h, w) 0..1: a soft shadow of the people on the floor, away from the key light."""
    mask = np.zeros((scene.height, scene.width), np.float32)
    sun = scene.lights.sun
    if sun[2] < 0.15:
        return mask
    for person in scene.people:
        points = person.points[::5]
        fallen = points - sun * (points[:, 2:] / sun[2])
        contact = points * [1, 1, 0]
        clouds = [(contact[points[:, 2] < 0.25], 1.0)]
        if scene.room is not None:  # in a photograph nobody knows how far the floor goes
            clouds.append((fallen, 0.7))
        for cloud, strength in clouds:
            if not len(cloud):
                continue
            spots = project(
                cloud.astype(np.float32), scene.camera.matrix, scene.width, scene.height
            )
            spots = spots[spots[:, 2] > 0.02]
            near = (np.abs(spots[:, :2]) < 4096).all(axis=1)
            if not near.any():
                continue
            radius = int(np.clip(0.035 * np.median(spots[near, 2]) * scene.width, 1, 30))
            layer = np.zeros_like(mask)
            for x, y, _ in spots[near]:
                cv2.circle(layer, (int(x), int(y)), radius, strength, -1)
            mask = np.maximum(mask, cv2.GaussianBlur(layer, (0, 0), radius))
    return mask
