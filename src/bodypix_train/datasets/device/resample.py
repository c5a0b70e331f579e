"""Grids of many sizes sampled at the cells of their crops, a whole batch at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from bodypix_train.datasets.warp import Matrix, cells, on_grid, on_smaller, shrinks

from .store import Pyramid

View = tuple[Pyramid, Matrix, tuple[int, int]]  # a grid, its crop's map and its picture's (H, W)


def bilinear(views: Sequence[View], size: int, stride: int, border: Tensor | float = 0.0) -> Tensor:
    """What n crops of side ``size`` show of n grids of c channels: (n, c, S/stride, S/stride).

    As `warp` does: cell i lies on crop pixel i * stride, grids that would alias are read in a
    smaller size, and beyond a grid there is ``border``, a number or a tensor (n, 1). Values are
    whole levels 0..255 as float32; the memory layout is channels last.
    """
    flat, x, y, start, height, width = _locate(views, size, stride)
    left, top = x.floor(), y.floor()
    shares_x, shares_y = x - left, y - top
    beyond = torch.as_tensor(border, dtype=torch.float32, device=flat.device).reshape(-1, 1, 1, 1)
    total = torch.zeros((), device=flat.device)
    for row, share_y in ((top, 1 - shares_y), (top + 1, shares_y)):
        for column, share_x in ((left, 1 - shares_x), (left + 1, shares_x)):
            values = _read(flat, column, row, start, height, width, beyond)
            total = total + values * (share_x * share_y)[..., None]
    return total.round().permute(0, 3, 1, 2)


def nearest(views: Sequence[View], size: int, stride: int) -> Tensor:
    """The same for maps of ids, which do not mix: (n, S/stride, S/stride) int64, 0 beyond."""
    flat, x, y, start, height, width = _locate(views, size, stride)
    beyond = torch.zeros(1, 1, 1, 1, device=flat.device)
    column, row = (x + 0.5).floor(), (y + 0.5).floor()
    return _read(flat, column, row, start, height, width, beyond)[..., 0].long()


def _locate(views: Sequence[View], size: int, stride: int) -> tuple[Tensor, ...]:
    """All grids as one list of cells (T, c), and where the crops' cells lie in them.

    x and y (n, s, s) are in cells of the grid; start, height and width (n, 1, 1) are the grid's.
    """
    chosen, numbers, maps, start = [], [], [], 0
    for grid, matrix, frame in views:
        local = on_grid(matrix, grid.shapes[0], frame, stride)
        level = grid.level(shrinks(local))
        chosen.append(grid.cells(level))
        numbers.append((start, *grid.shapes[level]))
        maps.append(on_smaller(local, grid.shapes[0], grid.shapes[level]))
        start += len(chosen[-1])
    flat = torch.cat(chosen)
    a = torch.from_numpy(np.stack(maps).astype(np.float32)).to(flat.device)[..., None, None]
    at = torch.arange(cells(size, stride), dtype=torch.float32, device=flat.device)
    x = a[:, 0, 0] * at + a[:, 0, 1] * at[:, None] + a[:, 0, 2]
    y = a[:, 1, 0] * at + a[:, 1, 1] * at[:, None] + a[:, 1, 2]
    begin, height, width = torch.tensor(numbers).to(flat.device)[..., None, None].unbind(1)
    return flat, x, y, begin, height, width


def _read(
    flat: Tensor, column: Tensor, row: Tensor, start: Tensor, height: Tensor, width: Tensor,
    beyond: Tensor,
) -> Tensor:  # fmt: skip
    """Values (n, s, s, c) of single cells; ``beyond`` (1 or n, 1, 1, 1) outside of a grid."""
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    column = torch.minimum(column.clamp(min=0).long(), width - 1)
    row = torch.minimum(row.clamp(min=0).long(), height - 1)
    values = flat[start + row * width + column].float()
    return torch.where(inside[..., None], values, beyond)
