"""What the tables of a recipe may hold; crops and schedule have theirs beside their classes."""

from __future__ import annotations

from .coarse_task import CoarseTask
from .fields import flag, is_whole, listed, number, one_of, share, table, text, whole
from .networks.bodypix import ARCHITECTURES
from .tasks import SegmentationTask, StagewiseTask

KINDS = (
    "teacher", "empty", "nobody", "objects", "synthetic", "coco", "masks", "ccp-drawn",
    "ccp-undrawn",
)  # fmt: skip
TASKS = {"joint": SegmentationTask, "stagewise": StagewiseTask, "coarse": CoarseTask}

TABLES = {
    "base": text(),  # `read_toml` has followed it; here so that it is listed
    "name": text(),
    "seed": whole(0),
    "network": table(),
    "loss": table(),
    "data": table(),
    "augmentation": table(),
    "schedule": table(),
}
NETWORK = {
    # Below that a MobileNet's first layer has no channel.
    "multiplier": number("a number from 0.03125", low=1 / 32),
    "late_multiplier": number("a number from 0.03125", low=1 / 32),
    "widths": listed(
        "two whole numbers from 1, such as [96, 32]", lambda width: is_whole(width, 1), length=2
    ),
    "architecture": one_of(*ARCHITECTURES),
    "coarse_share": share(),
    "coarse_parts": share(),
    "surroundings": whole(0, "a whole number of channels"),
    "overview": whole(0, "a whole number of channels"),
}
LOSS = {
    "task": one_of(*TASKS),
    "pose_weight": number(),
    "agree_weight": number(),
    "parts_weight": number(),
    "parts_agree_weight": number(),
    "parts_balance": number("0 (all pixels count alike) to 1 (all parts do)", high=1),
    "parts_dice": number(),
    "consistency_weight": number(),
    "teacher_share": share(),
    "hints": listed("a list of whole numbers from 1", lambda block: is_whole(block, 1)),
    "hint_weight": number(),
}
DATA = {
    "teachers": text("the name of a folder"),
    "memory_gb": number(),
    "sources": listed("a list of tables", lambda source: isinstance(source, dict)),
}
SOURCE = {
    "kind": one_of(*KINDS),
    "images": text("a path"),
    "weight": number(),
    "annotations": text("a path"),
    "masks": text("a path"),
    "parts": one_of("unknown", "teachers"),
    "cut_out": flag(),
    "animals": flag(),
    "poses": flag(),
}
