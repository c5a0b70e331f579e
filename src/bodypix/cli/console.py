"""Where commands print, and the exit codes they end with.

0    everything worked
1    the command ran, but at least one input failed (the others are done)
2    nothing was done: a wrong option, no usable model or device, no writing to the output folder
130  interrupted with Ctrl-C (what was finished is kept)
143  ended by SIGTERM (as after Ctrl-C)
"""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from bodypix.interrupts import Terminated

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


def exit_code_of(stop: KeyboardInterrupt) -> int:
    """The exit code of a command that was interrupted."""
    return EXIT_TERMINATED if isinstance(stop, Terminated) else EXIT_INTERRUPTED


def stdout() -> Console:
    """Results that are meant to be read or piped. Made per use: tests and pipes swap sys.stdout."""
    return Console(soft_wrap=True, highlight=False)


def stderr() -> Console:
    """Progress, warnings and errors; never mixed into piped results."""
    return Console(stderr=True, soft_wrap=True, highlight=False)


def print_error(message: object) -> None:
    """One line on stderr, whatever the message holds."""
    stderr().print(f"[red]Error:[/red] {escape(' '.join(str(message).split()))}")
