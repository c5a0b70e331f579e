"""How good the labels are that `bodypix-train label` would write: against hand-made masks.

python benchmarks/labels.py --data EVAL --teachers TEACHERS [--network CHECKPOINT] [--set coco128]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from bodypix_train.checkpoint import read_network
from bodypix_train.evalsets import SETS, list_set
from bodypix_train.evaluate import Settings, evaluate_masks, mask_table
from bodypix_train.label import Teachers
from bodypix_train.network_teacher import NetworkTeacher
from bodypix_train.teachers import resize_aligned


class Labels:
    """Answers as a model does, with what the teachers say."""

    def __init__(self, teachers: Teachers) -> None:
        self.teachers = teachers

    def segment_person(self, image: np.ndarray, **_: Any) -> SimpleNamespace:
        person = self.teachers.label(image)["person"].astype(np.float32)
        mask = resize_aligned(person, image.shape[:2])[..., 0] > 127.5
        return SimpleNamespace(mask=mask.astype(np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the evaluation sets")
    parser.add_argument("--teachers", type=Path, required=True, help="folder of the teachers")
    parser.add_argument("--network", type=Path, help="a checkpoint of ours that has a say")
    parser.add_argument("--set", action="append", choices=list(SETS), help="only this set")
    options = parser.parse_args()
    teachers = Teachers.from_folder(options.teachers)
    if options.network:
        teachers = replace(teachers, own=NetworkTeacher(read_network(options.network)))
    models: dict[str, Any] = {"labels": Labels(teachers)}
    scores = {}
    for name in options.set or SETS:
        entries = list_set(options.data, name)
        shown = track(entries, name, console=Console(stderr=True), transient=True)
        found = evaluate_masks(models, shown, Settings())
        scores[name] = found
    by_model = {"labels": {name: found["labels"] for name, found in scores.items()}}
    print(mask_table("set", by_model).markdown())


if __name__ == "__main__":
    main()
