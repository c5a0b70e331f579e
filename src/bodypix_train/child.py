"""`bodypix-train` commands in processes of their own."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from types import FrameType

from .errors import TrainingError
from .signals import STOPS

# What processes that train on processors read when they start: threads that wait leave the cores
# to the one that makes batches, and glibc keeps a step's memory for the next one, in large pages,
# instead of having the kernel clear it anew. docs/training.md has them for `train` by hand.
TRAINING = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4000000000"
    ":glibc.malloc.trim_threshold=8000000000",
}


class StepFailed(TrainingError):
    """A command ended with an error, or because it was asked to; it has said why."""

    def __init__(self, arguments: list[str], code: int) -> None:
        # A negative code is the signal that killed the process; shells add 128.
        self.exit_code = code if code > 0 else 128 - code
        super().__init__(
            f"`bodypix-train {arguments[0]}` ended with code {self.exit_code}, see above; "
            "`make` started again goes on from here"
        )


def run_command(arguments: list[str]) -> None:
    """Run `bodypix-train` with these arguments, and show them first.

    Ctrl-C and SIGTERM go on to the command, which may save what it has. Raises StepFailed.
    """
    print(f"$ bodypix-train {shlex.join(arguments)}", flush=True)
    command = [sys.executable, "-m", "bodypix_train", *arguments]
    # In a session of its own a Ctrl-C reaches it once, from here, and not from the terminal too.
    trains = arguments[0] in ("train", "distill")
    environment = {**TRAINING, **os.environ} if trains else None
    child = subprocess.Popen(command, start_new_session=True, env=environment)

    def forward(number: int, frame: FrameType | None) -> None:
        child.send_signal(number)

    before = {number: signal.signal(number, forward) for number in STOPS}
    try:
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if code:
        raise StepFailed(arguments, code)
