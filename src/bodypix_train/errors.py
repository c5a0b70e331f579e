"""What ends a training run before its time.

| error         | when                                                                          |
| ------------- | ----------------------------------------------------------------------------- |
| TrainingError | it cannot go on: the loss is not finite any more, the disk is full            |
| Stopped       | somebody asked it to end; everything is saved and the run can go on later     |
"""

from __future__ import annotations

import signal
from pathlib import Path


class TrainingError(RuntimeError):
    """Training cannot go on; the last whole checkpoint is still there."""

    exit_code = 1  # of the command


class Stopped(TrainingError):
    """A signal ended the run after it had saved its state."""

    def __init__(self, checkpoint: Path, step: int, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(
            f"stopped by {self.signal.name} at step {step}; {checkpoint} is saved, and the same"
            " command goes on from there"
        )
        self.exit_code = 128 + number  # as shells report of a program that a signal ended
