"""The commands of `bodypix-train make`, each in a process of its own."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from bodypix_train import child
from bodypix_train.child import StepFailed, run_command


def test_a_command_that_fails_is_named() -> None:
    with pytest.raises(StepFailed, match="`bodypix-train export` ended with code 2"):
        run_command(["export", "gone.pt", "x.onnx"])


def test_training_gets_an_environment_that_users_may_overrule(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bodypix_train.py").write_text(
        "import os, pathlib, sys\n"
        "seen = [os.environ.get(name, '-') for name in ('OMP_WAIT_POLICY', 'GLIBC_TUNABLES')]\n"
        "pathlib.Path(sys.argv[1]).write_text(' '.join(seen))\n"
    )
    monkeypatch.chdir(tmp_path)  # where python -m looks first
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    for command, tunables in (("train", child.TRAINING["GLIBC_TUNABLES"]), ("render", "-")):
        run_command([command])
        assert (tmp_path / command).read_text() == f"ACTIVE {tunables}"


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_signal_goes_on_to_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The command here waits for SIGTERM and ends with a code of its own."""
    (tmp_path / "bodypix_train.py").write_text(
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        "pathlib.Path(sys.argv[1]).touch()\n"
        "time.sleep(60)\n"
    )
    monkeypatch.chdir(tmp_path)  # where python -m looks first
    ready = tmp_path / "ready"

    def send() -> None:
        while not ready.exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=send)
    thread.start()
    with pytest.raises(StepFailed) as caught:
        run_command([str(ready)])
    thread.join()
    assert caught.value.exit_code == 7
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
