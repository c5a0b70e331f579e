"""From light to a photograph: exposure, white balance, blur, noise, compression."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .assets import Floats


@dataclass(frozen=True)
class Sensor:
    """A camera's faults. blur: sigma in pixels; shake: pixels; noise: sRGB steps at mid grey."""

    exposure: float
    balance: tuple[float, float, float]
    contrast: float
    saturation: float
    blur: float
    shake: float
    angle: float  # of the shake, degrees
    noise: float
    vignette: float
    quality: int  # of the JPEG


def draw_sensor(rng: np.random.Generator) -> Sensor:
    poor = rng.random() < 0.35
    return Sensor(
        exposure=float(2 ** rng.normal(0, 0.35)),
        balance=tuple(float(2**x) for x in rng.normal(0, 0.09, 3)),
        contrast=float(rng.uniform(0.85, 1.2)),
        saturation=float(rng.uniform(0.75, 1.2)),
        blur=float(rng.uniform(0.4, 1.5) if poor else rng.uniform(0.2, 0.6)),
        shake=float(rng.uniform(2, 7) if rng.random() < 0.08 else 0),
        angle=float(rng.uniform(0, 180)),
        noise=float(rng.uniform(2, 12) if poor else rng.uniform(0.3, 3)),
        vignette=float(rng.uniform(0, 0.35)),
        quality=int(rng.integers(35, 75) if poor else rng.integers(75, 97)),
    )


def expose(
    rng: np.random.Generator, light: Floats, alpha: Floats, sensor: Sensor
) -> tuple[NDArray[np.uint8], Floats]:
    """((h, w, 3) sRGB bytes before compression, (h, w) alpha blurred as the picture is)."""
    height, width = alpha.shape
    light = light * np.float32(sensor.exposure) * np.array(sensor.balance, np.float32)
    if sensor.vignette:
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
        light = light * (1 - sensor.vignette * 0.5 * (x * x + y * y))[..., None]
    if sensor.shake:
        size = int(np.ceil(sensor.shake)) | 1
        line = np.zeros((size, size), np.float32)
        line[size // 2] = 1
        spin = cv2.getRotationMatrix2D((size / 2 - 0.5, size / 2 - 0.5), sensor.angle, 1)
        line = cv2.warpAffine(line, spin, (size, size))
        line /= line.sum()
        light, alpha = cv2.filter2D(light, -1, line), cv2.filter2D(alpha, -1, line)
    light = cv2.GaussianBlur(light, (0, 0), sensor.blur)
    alpha = cv2.GaussianBlur(alpha, (0, 0), sensor.blur)
    # A shoulder above 0.75, so that highlights do not end abruptly.
    over = np.maximum(light - 0.75, 0)
    light = np.minimum(light, 0.75) + 0.25 * (1 - np.exp(-over / 0.35))
    shown = np.where(
        light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-6) ** (1 / 2.4) - 0.055
    )
    shown = 0.5 + (shown - 0.5) * sensor.contrast
    grey = shown.mean(axis=2, keepdims=True)
    shown = grey + (shown - grey) * sensor.saturation
    grain = rng.standard_normal((height, width, 3), np.float32)
    if sensor.noise > 4:
        grain = 0.6 * grain + 1.2 * cv2.GaussianBlur(grain, (0, 0), 0.8)
    shown = shown * 255 + grain * sensor.noise * (1.4 - 0.7 * np.clip(grey, 0, 1))
    return np.clip(shown + 0.5, 0, 255).astype(np.uint8), np.clip(alpha, 0, 1)
