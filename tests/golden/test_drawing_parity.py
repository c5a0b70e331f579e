"""Drawing against the original's own pictures: Chromium's canvas, and the upstream repository.

The two rasterisers differ in their blur: our goldens come from Chromium without a GPU, which blurs
with three boxes; the upstream pictures from a true Gaussian. Each is compared with that kernel.
"""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bodypix import drawing

LEVELS = 2
SHARE = 0.995

CALLS = {
    "drawMask": drawing.draw_mask,
    "drawPixelatedMask": drawing.draw_pixelated_mask,
    "drawBokehEffect": drawing.draw_bokeh_effect,
    "blurBodyPart": drawing.blur_body_part,
}
MASKS = {"toMask": drawing.to_mask, "toColoredPartMask": drawing.to_colored_part_mask}

FILES = [
    f"{image}__draw__{call}.npz"
    for image in ("hsd_43", "hsd_51")
    for call in (
        "blurBodyPart_default",
        "blurBodyPart_torso_bg10_edge0",
        "drawBokehEffect_bg10_edge0_flip",
        "drawBokehEffect_default",
        "drawBokehEffect_multi",
        "drawBokehEffect_nobody",
        "drawMask_default",
        "drawMask_op1_blur8",
        "drawMask_parts_op0_5_blur3_flip",
        "drawPixelatedMask_default",
        "drawPixelatedMask_op0_5_blur3_flip_cell20",
    )
]


def read(path: Path) -> np.ndarray:
    """The picture as it is stored, in RGB or RGBA order."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None, path
    if pixels.ndim == 2:
        return pixels
    order = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(pixels, order)


def assert_close(drawn: np.ndarray, golden: np.ndarray) -> None:
    """All four channels within LEVELS on at least SHARE of the pixels."""
    assert drawn.shape == golden.shape
    difference = np.abs(drawn.astype(int) - golden).max(axis=-1)
    share = (difference <= LEVELS).mean()
    assert share >= SHARE, f"{share:.2%} of the pixels within {LEVELS} levels"


@pytest.fixture(scope="module")
def index(shared: Path) -> dict[str, dict[str, Any]]:
    """The entries of the golden index by file name."""
    listed = json.loads((shared / "golden" / "index.json").read_text())["files"]
    return {entry["file"]: entry for entry in listed}


def test_every_drawing_is_compared(index) -> None:
    assert sorted(FILES) == sorted(name for name, entry in index.items() if "draw" in entry)


@pytest.mark.parametrize("name", FILES)
def test_chromium_canvas(shared: Path, index, name: str) -> None:
    entry = index[name]
    image = read(shared / "golden" / "inputs" / f"{entry['image']}.png")[..., :3]
    golden = np.load(shared / "golden" / name)
    call = entry["draw"]
    # Several people are stacked; a drawing "from empty" has no segmentation.
    what: Any = golden.get("segmentation", [])
    what = list(what) if np.ndim(what) != 2 else what
    if "mask" in call:
        what = MASKS[call["mask"]["fn"]](what)
    drawn = CALLS[call["fn"]](
        np.ascontiguousarray(image), what, *call["args"], border="transparent", kernel="boxes"
    )
    assert_close(drawn, golden["image"])


@pytest.fixture(scope="module")
def upstream(shared: Path) -> Path:
    """Folder and stem of the upstream repository's test pictures."""
    return shared / "golden" / "upstream" / "three_people"


@pytest.fixture(scope="module")
def three_people(upstream: Path) -> np.ndarray:
    """The photo as the browser drew it: its ICC profile is applied, which only Pillow does here."""
    pil = pytest.importorskip("PIL.Image", reason="the photo's colour profile needs Pillow")
    cms = pytest.importorskip("PIL.ImageCms", reason="the photo's colour profile needs LittleCMS")
    photo = pil.open(f"{upstream}.jpg")
    profile = cms.ImageCmsProfile(BytesIO(photo.info["icc_profile"]))
    return np.asarray(cms.profileToProfile(photo, profile, cms.createProfile("sRGB")))


@pytest.fixture(scope="module")
def binary(upstream: Path) -> np.ndarray:
    # Stored as a palette image of two greys, read back as 0 and 255.
    pixels = read(Path(f"{upstream}_binary_segmentation.png"))
    pixels = pixels if pixels.ndim == 2 else pixels[..., 0]
    return (pixels > 0).astype(np.uint8)


@pytest.fixture(scope="module")
def colored(upstream: Path) -> np.ndarray:
    """Part ids; the red channel holds them, 24 where nobody is."""
    ids = read(Path(f"{upstream}_colored_segmentation.png"))[..., 0].astype(np.int32)
    return np.where(ids == 24, -1, ids)


def golden_of(upstream: Path, name: str) -> np.ndarray:
    return read(Path(f"{upstream}_{name}.png"))


def test_upstream_masks_are_identical(upstream, binary, colored) -> None:
    mask = drawing.to_mask(binary, (255, 255, 255), (0, 0, 0))
    np.testing.assert_array_equal(mask, golden_of(upstream, "binary_mask"))
    parts = drawing.to_colored_part_mask(colored)
    np.testing.assert_array_equal(parts, golden_of(upstream, "colored_mask"))


def test_upstream_draw_mask(upstream, three_people, binary) -> None:
    mask = drawing.to_mask(binary, (255, 255, 255), (0, 0, 0))
    drawn = drawing.draw_mask(three_people, mask, 0.7, 3, border="transparent")
    assert_close(drawn, golden_of(upstream, "draw_mask"))


def test_upstream_pixelated_mask(upstream, three_people, colored) -> None:
    """Chromium samples the mask bilinearly, without averaging: so do we, and it fits as well."""
    mask = drawing.to_colored_part_mask(colored)
    drawn = drawing.draw_pixelated_mask(three_people, mask, border="transparent")
    assert_close(drawn, golden_of(upstream, "pixelated_mask"))


def test_upstream_bokeh(upstream, three_people, binary) -> None:
    drawn = drawing.draw_bokeh_effect(three_people, binary, border="transparent")
    assert_close(drawn, golden_of(upstream, "bokeh_effect"))


def test_upstream_blur_body_part(upstream, three_people, colored) -> None:
    drawn = drawing.blur_body_part(three_people, colored, [0, 1], border="transparent")
    assert_close(drawn, golden_of(upstream, "blur_body_parts"))
