"""Fit the part judge (`pose_parts`) to rendered people, whose parts are known exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from torch import Tensor, nn
from torch.nn import functional as F

from bodypix.body import PARTS

from .errors import TrainingError
from .evaluate_parts import read_picture
from .label import Teachers
from .people_teachers import Array
from .pose_parts import MIRROR, PartJudge, cell_features
from .skeletons import skeletons
from .synthetic.shards import Place, index_shards

PICTURES = 750  # rendered ones, spread over all that there are
CELLS = 400  # of each picture and of its mirror image
NEAREST = 1.0  # trunks from a bone; what is farther off is not for skeletons to say
WIDTHS = (192, 96)
EPOCHS, BATCH, RATE = 5, 2048, 3e-3
UNSAID = 0.15  # of the cells learn without the published network's word
RARE = 0.3  # power of a part's rarity by which it counts more


def cells_of(
    place: Place, teachers: Teachers, rng: np.random.Generator
) -> list[tuple[Array, np.ndarray]]:
    """Features and parts of some cells of a rendered picture and of its mirror image."""
    assert teachers.people is not None
    picture = read_picture(place)
    image = np.ascontiguousarray(picture.image)
    height, width = image.shape[:2]
    grid = (height // 8 + 1, width // 8 + 1)
    shares = teachers.body.answer(image, teachers.scales, grid, grid).parts
    people = skeletons(image, teachers.body.poses(image), teachers.people.whole_body)
    if not people:
        return []
    rows = np.rint(np.linspace(0, height - 1, grid[0])).astype(int)
    columns = np.rint(np.linspace(0, width - 1, grid[1])).astype(int)
    parts = picture.parts[np.ix_(rows, columns)].astype(np.int64)
    out = []
    for mirrored in (False, True):
        truth = parts
        if mirrored:
            truth = np.where(parts >= 0, MIRROR[np.maximum(parts, 0)], -1)[:, ::-1]
        features, distance = cell_features(shares, people, (height, width), mirrored=mirrored)
        some = np.flatnonzero((truth.ravel() >= 0) & (distance < NEAREST))
        if len(some) > CELLS:
            some = rng.choice(some, CELLS, replace=False)
        out.append((features[some], truth.ravel()[some]))
    return out


def judge_of(
    teachers: Teachers, rendered: Sequence[Path], file: Path, report: Callable[[str], None]
) -> PartJudge | None:
    """The judge in ``file``, which is fitted to the folders ``rendered`` where it is missing.

    None where there are no rendered people or no pose network, and then there is none to ask.
    """
    if teachers.people is None or not rendered:
        return None
    if file.exists():
        return PartJudge.load(file)
    places = [place for folder in rendered for place in index_shards(folder)]
    if not places:
        report(f"{rendered[0]}: no rendered people yet, so parts are not judged by skeletons")
        return None
    report(f"{file}: learning from rendered people which part is where")
    some = places[:: -(-len(places) // PICTURES)]
    judge = fit_judge(track(some, "rendered people"), teachers, report=report)
    file.parent.mkdir(parents=True, exist_ok=True)
    judge.save(file)
    return judge


def fit_judge(
    places: Iterable[Place], teachers: Teachers, *, seed: int = 0,
    report: Callable[[str], None] | None = None,
) -> PartJudge:  # fmt: skip
    """Fit a judge to rendered pictures. Raises TrainingError where none shows a skeleton."""
    rng = np.random.default_rng(seed)
    chosen = [cells for place in places for cells in cells_of(place, teachers, rng)]
    if not chosen:
        raise TrainingError(
            "the pose network saw nobody in the rendered pictures: render more of them"
        )
    features = torch.from_numpy(np.concatenate([x for x, _ in chosen]))
    truth = torch.from_numpy(np.concatenate([y for _, y in chosen]))
    return fit(features, truth, seed=seed, report=report)


def fit(
    features: Tensor, truth: Tensor, *, seed: int = 0,
    report: Callable[[str], None] | None = None,
) -> PartJudge:  # fmt: skip
    """Fit to (n, F) features and (n,) parts."""
    torch.manual_seed(seed)
    mean, deviation = features.mean(0), features.std(0) + 1e-3
    x = (features - mean) / deviation
    widths = (x.shape[1], *WIDTHS, PARTS)
    linear = [nn.Linear(a, b) for a, b in pairwise(widths)]
    first, second, last = linear
    network = nn.Sequential(first, nn.ReLU(), nn.Dropout(0.1), second, nn.ReLU(), last)
    batches = -(-len(x) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=EPOCHS * batches)
    weight = 1 / torch.bincount(truth, minlength=PARTS).float().clamp(min=100) ** RARE
    for epoch in range(EPOCHS):
        total = 0.0
        for some in torch.randperm(len(x)).split(BATCH):
            shown = x[some]
            unsaid = torch.rand(len(some), 1) < UNSAID
            shown[:, -PARTS:] = shown[:, -PARTS:].masked_fill(unsaid, 0.0)
            loss = F.cross_entropy(network(shown), truth[some], weight=weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) / batches
        if report:
            report(f"epoch {epoch + 1} of {EPOCHS}: loss {total:.3f}")
    layers = tuple(
        (layer.weight.detach().T.numpy().copy(), layer.bias.detach().numpy().copy())
        for layer in linear
    )
    return PartJudge(mean.numpy(), deviation.numpy(), layers)
