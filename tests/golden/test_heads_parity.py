"""The published checkpoints, read by us, against what the original's network answers."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
import pytest

from bodypix import geometry
from bodypix.checkpoints.metadata import HEAD_CHANNELS
from bodypix.checkpoints.onnx_format import prune, write_model
from bodypix.checkpoints.tfjs import convert_tfjs

HEADS = [head for head in HEAD_CHANNELS if not head.endswith("_fine")]
THRESHOLD = 0.7

# Files `IMAGE__heads__default`, with the stride of the model.
RAW = [("hsd_160", 16), ("hsd_43", 16), ("hsd_51", 16), ("hsd_43", 8)]

# The images that the golden folder has for the quantised weights.
QUANTISED = [(image, quant) for image in ("ccp_1034", "hsd_51") for quant in ("quant2", "quant1")]


@lru_cache(maxsize=8)
def session(folder: Path, stride: int, heads: tuple[str, ...]) -> ort.InferenceSession:
    """A session of the converted model, only with `heads`."""
    model = prune(convert_tfjs(folder / "050" / f"model-stride{stride}.json"), heads)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(write_model(model), options, providers=["CPUExecutionProvider"])


def run(network: ort.InferenceSession, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Heads [H', W', C] for the resized pixels [h, w, 3], 0 to 255."""
    names = [output.name for output in network.get_outputs()]
    arrays = network.run(names, {"image": (pixels / np.float32(127.5) - 1)[None]})
    return {name: array[0] for name, array in zip(names, arrays, strict=True)}


def photo(shared: Path, name: str) -> np.ndarray:
    pixels = cv2.imread(str(shared / "golden" / "inputs" / f"{name}.png"), cv2.IMREAD_COLOR)
    assert pixels is not None
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize(("image", "stride"), RAW)
def test_raw_heads_are_within_a_thousandth(shared: Path, image: str, stride: int) -> None:
    """Of the original's own heads, from its own resized pixels."""
    suffix = "" if stride == 16 else f"__s{stride}"
    golden = np.load(shared / "golden" / f"{image}__heads__default{suffix}.npz")
    network = session(shared / "golden" / "tfjs" / "float", stride, tuple(HEADS))
    heads = run(network, golden["resized"])
    for head in HEADS:
        np.testing.assert_allclose(heads[head], golden[head], rtol=0, atol=1e-3, err_msg=head)


@pytest.mark.parametrize(("image", "stride"), RAW)
def test_raw_heads_from_the_photo(shared: Path, image: str, stride: int) -> None:
    """The same from the photo itself, with our padding and resizing."""
    suffix = "" if stride == 16 else f"__s{stride}"
    golden = np.load(shared / "golden" / f"{image}__heads__default{suffix}.npz")
    network = session(shared / "golden" / "tfjs" / "float", stride, tuple(HEADS))
    pixels, _ = prepared(photo(shared, image), stride)
    heads = run(network, pixels)
    for head in HEADS:
        np.testing.assert_allclose(heads[head], golden[head], rtol=0, atol=1e-3, err_msg=head)


def prepared(image: np.ndarray, stride: int) -> tuple[np.ndarray, geometry.Frame]:
    """Resized pixels at medium resolution, and how they lie in the image (spec 2.2, 2.3)."""
    frame = geometry.Frame.of((image.shape[0], image.shape[1]), "medium", stride)
    padded = geometry.pad(image, frame.padding)
    return geometry.resize_bilinear_legacy(padded, frame.input_size), frame


def segmented(shared: Path, image: str, quant: str) -> tuple[np.ndarray, np.ndarray]:
    """Mask and part ids at stride 16 and medium resolution (spec 2.5 and 6)."""
    resized, frame = prepared(photo(shared, image), 16)
    folder = shared / "golden" / "tfjs" / quant
    heads = run(session(folder, 16, ("segments", "part_heatmaps")), resized)
    scores, parts = (
        geometry.scale_and_crop_to_image(heads[head], frame, apply_sigmoid=True)
        for head in ("segments", "part_heatmaps")
    )
    mask = scores[..., 0] > THRESHOLD
    return mask, np.where(mask, parts.argmax(axis=2), -1)


@pytest.mark.parametrize(("image", "quant"), QUANTISED)
def test_quantised_weights_give_the_same_masks(shared: Path, image: str, quant: str) -> None:
    """uint8 and uint16 weights: at least 99.9% of pixels as the original has them."""
    mask, parts = segmented(shared, image, quant)
    golden = shared / "golden"
    expected = np.load(golden / f"{image}__segmentPerson__default__s16_{quant}.npz")["data"]
    assert np.mean(mask == expected) >= 0.999
    expected = np.load(golden / f"{image}__segmentPersonParts__default__s16_{quant}.npz")["data"]
    assert np.mean(parts == expected) >= 0.999


@pytest.mark.parametrize(("quant", "low", "high"), [("quant2", 0.995, 1.0), ("quant1", 0.4, 0.6)])
def test_what_quantisation_costs(shared: Path, quant: str, low: float, high: float) -> None:
    """Mask IoU to the float weights: 0.998 and 0.45 here (0.998, about 0.51 in golden/README)."""
    both = either = 0
    for image in ("ccp_1034", "hsd_51"):
        one, other = segmented(shared, image, quant)[0], segmented(shared, image, "float")[0]
        both += np.count_nonzero(one & other)
        either += np.count_nonzero(one | other)
    assert low <= both / either <= high
