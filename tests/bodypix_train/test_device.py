"""Crops made on a device are those of the processor.

The device is the processor itself, and where there is a GPU that too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from bodypix.body import MIRRORED_PARTS
from bodypix_train import targets
from bodypix_train.datasets import mixture as mixtures
from bodypix_train.datasets.augment import crop_at, photograph
from bodypix_train.datasets.device import crops, light, poses
from bodypix_train.datasets.device.jpeg import compress
from bodypix_train.datasets.device.resample import bilinear, nearest
from bodypix_train.datasets.device.store import Store, pyramid
from bodypix_train.datasets.device.stream import DeviceStream
from bodypix_train.datasets.lazy import Budget
from bodypix_train.datasets.mixture import BatchStream, Mixture, prefetch
from bodypix_train.datasets.plan import Augmentation, Light, Plan, draw_light
from bodypix_train.datasets.sample import Sample, find_faces
from bodypix_train.datasets.warp import warp, warp_ids
from bodypix_train.network_teacher import NetworkTeacher
from bodypix_train.networks.bodypix import BodyPixNet, hint_name
from bodypix_train.tasks import Batch, SegmentationTask
from bodypix_train.teachers import providers

CPU = torch.device("cpu")
GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
DEVICES = ["cpu", pytest.param("cuda", marks=GPU)]
SIZE = 97
EVERYTHING = Augmentation(paste_share=0.4, object_share=0.4, empty_share=0.2)
PLAIN = Light(1.0, np.arange(256, dtype=np.uint8)[:, None].repeat(3, 1), 0.0, 0.0, 0, 0)
LEVELS = {"image": 127.5, "person": 255, "trust": 255, "parts": 255}  # of one unit


def texture(height: int, width: int, seed: int) -> np.ndarray:
    """(H,W,3) uint8 with detail of a few pixels."""
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    return np.clip(128 + 60 * smooth / smooth.std(), 0, 255).astype(np.uint8)


def scene(seed: int, *, people: int = 2, exact: bool = True, known: bool = True) -> Sample:
    """Ellipses before a texture, each of two parts, with keypoints if ``known``."""
    height, width = (220, 180) if seed % 2 else (150, 240)
    rng = np.random.default_rng(seed)
    instances = np.zeros((height // 2 + 1, width // 2 + 1), np.uint8)
    keypoints = np.zeros((people, 17, 3), np.float32)
    for person in range(people):
        x, y = rng.uniform(0.2, 0.8) * width / 2, rng.uniform(0.3, 0.7) * height / 2
        axes = (int(rng.uniform(8, 20)), int(rng.uniform(25, 40)))
        cv2.ellipse(instances, ((x, y), (2 * axes[0], 2 * axes[1]), 0), person + 1, -1)  # type: ignore[call-overload]
        keypoints[person, :, 0] = 2 * (x + rng.normal(0, axes[0] / 2, 17))
        keypoints[person, :, 1] = 2 * (y + rng.normal(0, axes[1] / 2, 17))
        keypoints[person, :, 2] = rng.integers(0, 3, 17)
    person_map = cv2.GaussianBlur((instances > 0).astype(np.uint8) * 255, (3, 3), 0)
    image = texture(height, width, seed)
    whole = cv2.resize(person_map, (width, height))[..., None] / 255
    image = (image * (1 - whole) + np.array([220, 150, 120]) * whole).astype(np.uint8)
    cells = cv2.resize(person_map, (width // 8 + 1, height // 8 + 1), interpolation=cv2.INTER_AREA)
    parts = np.zeros((*cells.shape, 24), np.uint8)
    parts[..., 0], parts[..., 13] = cells, 255 - cells
    parts[: len(cells) // 2, :, [0, 13]] = parts[: len(cells) // 2, :, [13, 0]]
    trust = np.full_like(person_map, 255)
    trust[:, : width // 6] = 90
    return Sample(
        f"scene {seed}", image, person_map, trust,
        parts if known else None, exact, find_faces(parts),
        instances if known else None, keypoints if known else None,
    )  # fmt: skip


def make_mixture() -> Mixture:
    thing = np.dstack([texture(50, 70, 9), np.full((50, 70), 255, np.uint8)])
    thing[:8, :, 3] = 0
    sources = [
        (0.6, [scene(1), scene(2), scene(3, people=0)]),
        (0.4, [scene(4, exact=False, known=False), scene(5, exact=False)]),
    ]
    return Mixture(sources, EVERYTHING, [thing])


def quiet(rng: np.random.Generator) -> Light:
    """Light without noise, which no two generators make alike."""
    return replace(draw_light(rng), noise=0.0)


def differences(one: Batch, other: Batch, name: str) -> torch.Tensor:
    return (getattr(one, name) - getattr(other, name)).abs() * LEVELS[name]


@pytest.mark.parametrize("where", DEVICES)
def test_same_batches_as_on_the_processor(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In levels of 255: on average within 6 in each crop, and few cells, at edges, beyond 16.

    The two shrink pictures by different filters, and a crop has few cells for a person.
    """
    monkeypatch.setattr(mixtures, "draw_light", quiet)
    mixture = make_mixture()
    processor = iter(BatchStream(mixture, 12, SIZE, 3))
    device = iter(DeviceStream(Store(mixture, torch.device(where)), 12, SIZE, 3))
    for _ in range(4):
        expected, made = next(processor), next(device)
        assert made.image.device.type == where
        got = made.to(CPU)
        for name in LEVELS:
            gap = differences(expected, got, name)
            assert gap.flatten(1).mean(1).max() < 6, name
            assert (gap > 16).float().mean() < 0.05, name
        assert torch.equal(got.has_parts, expected.has_parts)
        assert 0 < got.has_parts.mean() < 1
        assert got.image.shape == (12, 3, SIZE, SIZE)
        assert got.image.is_contiguous(memory_format=torch.channels_last)
        assert set(got.poses) == set(expected.poses)
        for name, mine in got.poses.items():
            assert_same_targets(name, mine, expected.poses)


def assert_same_targets(name: str, mine: torch.Tensor, expected: dict[str, torch.Tensor]) -> None:
    """Weights are equal, and heads where their weight is not 0."""
    weight = {"short_offsets": "near"}.get(name, f"{name}_weight")
    if weight not in expected:
        assert torch.equal(mine, expected[name]), name
        return
    counts = expected[weight] > 0
    if mine.shape != counts.shape:  # dy and dx
        counts = torch.cat([counts, counts], 1)
    assert torch.allclose(mine[counts], expected[name][counts], atol=1e-3), name


@pytest.mark.parametrize("zoom", [0.5, 1.3, 3.0])
def test_grids_are_sampled_as_opencv_does(zoom: float) -> None:
    image = texture(160, 200, 0)
    turn = np.deg2rad(20)
    linear = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = np.hstack([linear, [[30.0], [-20.0]]])
    frame = (160, 200)
    expected = warp(image, matrix, frame, 65, 1, (77, 77, 77)).astype(float)
    border = torch.tensor([[77.0]])
    got = bilinear([(pyramid(image, CPU), matrix, frame)], 65, 1, border)[0].permute(1, 2, 0)
    gap = np.abs(got.numpy() - expected)
    assert gap.mean() < (0.5 if zoom < 1.6 else 2)  # OpenCV rounds places to 1/32 pixel
    outside = (expected == 77).all(2)
    assert outside.any()
    assert (gap[outside] <= 2).all()
    ids = (image[..., 0] // 86).astype(np.uint8)
    shown = nearest([(pyramid(ids, CPU, smaller=False), matrix, frame)], 65, 16)[0].numpy()
    assert np.array_equal(shown, warp_ids(ids, matrix, frame, 65, 16))


@pytest.mark.parametrize("mirrored", [False, True])
def test_left_stays_the_persons_own(mirrored: bool) -> None:
    sample = scene(1)
    height, width = sample.image.shape[:2]
    matrix = np.array([[(width - 1) / 96, 0, 0], [0, (height - 1) / 96, 0]])
    if mirrored:
        matrix[0] = [-matrix[0, 0], 0, width - 1]
    store = Store(Mixture([(1.0, [sample])]), CPU)
    plan = Plan(store.look((0, 0))[0], matrix, 0, None, (), PLAIN)
    shown = crops.show([plan], SIZE, CPU)
    expected = crop_at(sample, matrix, SIZE)
    ids = {int(i) for i in shown.parts[0].flatten(1).amax(1).nonzero()}
    assert ids == ({MIRRORED_PARTS[0], MIRRORED_PARTS[13]} if mirrored else {0, 13})
    assert np.abs(shown.parts[0].permute(1, 2, 0).numpy() - expected.parts).max() <= 8


def test_pose_targets_of_a_batch() -> None:
    rng = np.random.default_rng(0)
    keypoints = np.zeros((4, 3, 17, 3), np.float32)
    owner = np.zeros((4, 7, 7), np.int64)
    for picture, people in enumerate((3, 1, 0, 2)):
        keypoints[picture, :people, :, :2] = rng.uniform(-30, 120, (people, 17, 2))
        keypoints[picture, :people, :, 2] = rng.integers(0, 3, (people, 17))
        owner[picture] = rng.integers(0, people + 1, (7, 7))
    known = torch.tensor([1.0, 1.0, 1.0, 0.0])
    got = poses.pose_targets(torch.from_numpy(keypoints), torch.from_numpy(owner), known)
    singles = [
        targets.pose_targets(keypoints[i, :people], owner[i]) for i, people in enumerate((3, 1, 0))
    ]
    singles.append(targets.no_pose_targets(7))
    expected = {
        name: torch.from_numpy(np.stack([each[name] for each in singles])).permute(0, 3, 1, 2)
        for name in singles[0]
    }
    assert list(got) == list(expected)
    for name, mine in got.items():
        assert_same_targets(name, mine, expected)
    assert expected["near"].sum() > 50


@pytest.mark.parametrize("quality", [25, 60, 89])
def test_compression_as_in_a_file(quality: int) -> None:
    image = scene(2).image[:SIZE, :SIZE]
    file = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    expected = cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1].astype(float)
    got = compress(torch.from_numpy(image).permute(2, 0, 1)[None].float(), [quality])
    gap = np.abs(got[0].permute(1, 2, 0).numpy() - expected)
    lost = np.abs(image - expected)
    assert gap.mean() < 0.3 * lost.mean()
    assert gap.mean() < 1


def test_light_as_on_the_processor() -> None:
    image = scene(3).image[:65, :65]
    rng = np.random.default_rng(1)
    lights = [replace(draw_light(rng), noise=0.0, quality=0, blur=blur) for blur in
              (0.0, 0.4, 0.9, 1.8)]  # fmt: skip
    lights[0] = replace(lights[0], colour=0.0)
    batch = torch.from_numpy(image).permute(2, 0, 1).float().repeat(4, 1, 1, 1)
    got = light.photograph(batch, lights, torch.Generator())
    for mine, each in zip(got, lights, strict=True):
        gap = np.abs(mine.permute(1, 2, 0).numpy() - photograph(image, each))
        assert (gap > 2).mean() < 0.005
        assert gap.mean() < 0.3


def test_noise_is_drawn_by_its_strength() -> None:
    batch = torch.full((3, 3, 65, 65), 128.0)
    lights = [replace(PLAIN, noise=noise) for noise in (0.0, 3.0, 12.0)]
    first, again = (
        light.photograph(batch, lights, torch.Generator().manual_seed(1)) for _ in range(2)
    )
    assert torch.equal(first, again)
    spread = first.flatten(1).std(1)
    assert spread[0] == 0
    assert torch.allclose(spread[1:], torch.tensor([3.0, 12.0]), rtol=0.05)


def test_nothing_comes_back_from_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device `meta` has no values to wait for, and refuses tensors of the processor."""
    monkeypatch.setattr(mixtures, "draw_light", quiet)  # it has no generator of noise either
    stream = DeviceStream(
        Store(make_mixture(), torch.device("meta")), 8, 33, 3,
        NetworkTeacher(BodyPixNet(0.25, (8, 8)), (3,)), 0.5,
    )  # fmt: skip
    rng = np.random.default_rng(3)
    assert isinstance(stream.teacher, NetworkTeacher)
    stream.teacher.network.to("meta")
    for _ in range(2):
        batch = stream.batch(rng, torch.Generator())
        tensors = [batch.image, batch.person, batch.trust, batch.parts, batch.has_parts]
        for tensor in (*tensors, *batch.teacher.values(), *batch.poses.values()):
            assert tensor.is_meta
        assert batch.poses


class Counting(Mixture):
    """Counts how often pictures are read."""

    reads = 0

    def sample(self, key: tuple[int, int]) -> Sample:
        self.reads += 1
        return super().sample(key)


def first_batch(mixture: Mixture, budget: Budget | None) -> Batch:
    return next(iter(DeviceStream(Store(mixture, CPU, budget), 30, 33, 0)))


def test_pictures_are_uploaded_once_while_there_is_room() -> None:
    plenty, none = (Counting([(1.0, [scene(1), scene(2)])], EVERYTHING) for _ in range(2))
    with_room, without = first_batch(plenty, None), first_batch(none, Budget(0))
    assert plenty.reads == 2
    assert none.reads >= 30
    assert torch.equal(with_room.image, without.image)
    half = Store(plenty, CPU, Budget(Store(plenty, CPU).look((0, 0))[0].nbytes))
    kept = [half.look((0, i))[0] is half.look((0, i))[0] for i in range(2)]
    assert kept == [True, False]


def test_a_network_teaches_on_the_device() -> None:
    torch.manual_seed(0)
    teacher = NetworkTeacher(BodyPixNet(0.25, (8, 8)), (3, 5))
    stream = DeviceStream(Store(make_mixture(), CPU), 4, 33, 0, teacher, 0.5)
    batch = next(iter(stream))
    names = [*teacher.names, hint_name(3), hint_name(5)]
    assert list(batch.teacher) == names
    with torch.no_grad():
        expected = teacher.network(batch.image[:2], (3, 5))
    for name in names:
        assert torch.allclose(batch.teacher[name], expected[name], atol=1e-5), name
    task = SegmentationTask(BodyPixNet(0.25, (8, 8)), hints=(3, 5), hint_weight=1.0).train()
    task(batch)[0].backward()
    assert task.network.backbone.blocks[0][0][0].weight.grad is not None
    assert all(p.grad is None for p in teacher.network.parameters())


class Bright:
    """A teacher on the processor that answers with the pictures themselves."""

    names = ("segments",)
    hints = ()

    def heads(self, images: np.ndarray, names: list[str]) -> list[np.ndarray]:
        assert images.dtype == np.uint8
        return [images[:, ::16, ::16, :1].astype(np.float32)]


def test_other_teachers_see_the_same_pictures() -> None:
    batch = next(iter(DeviceStream(Store(make_mixture(), CPU), 4, 33, 0, Bright(), 0.5)))
    levels = (batch.image[:2, :1, ::16, ::16] + 1) * 127.5
    assert torch.allclose(batch.teacher["segments"], levels, atol=1e-3)


def test_teachers_run_on_a_gpu_where_onnxruntime_can() -> None:
    ours = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    assert providers(ours) == ours[1:]
    assert providers(["AzureExecutionProvider", "CPUExecutionProvider"]) == ours[2:]


@pytest.mark.parametrize("where", DEVICES)
def test_learns_from_the_device(where: str) -> None:
    torch.manual_seed(0)
    device = torch.device(where)
    task = SegmentationTask(BodyPixNet(0.25, (8, 8))).train().to(device)
    optimizer = torch.optim.Adam(task.parameters(), 3e-3)
    losses = []
    batches: Iterator[Batch] = prefetch(DeviceStream(Store(make_mixture(), device), 6, 65, 0))
    for _ in range(70):
        loss, terms = task(next(batches))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(terms["person_fine"]))
    batches.close()  # type: ignore[attr-defined]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
