"""`bodypix-train` commands in processes of their own."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from types import FrameType

from .errors import TrainingError
from .signals import STOPS


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
    child = subprocess.Popen(command, start_new_session=True)

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
