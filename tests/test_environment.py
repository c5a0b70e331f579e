"""`make demo` and `make test` on machines where something is missing: they say what."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "tools" / "environment.sh"

pytestmark = pytest.mark.skipif(
    os.name == "nt" or shutil.which("sh") is None, reason="the script needs a POSIX shell"
)


def fake_python(folder: Path, body: str) -> Path:
    """An interpreter of which only the shell script `body` is there."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def make_environment(python: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(SCRIPT), str(folder), "-e", "."],
        env={**os.environ, "PYTHON": str(python)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("echo 3.9", "is Python 3.9, but bodypix needs 3.10 to 3.13"),
        ("echo 3.14", "is Python 3.14, but bodypix needs 3.10 to 3.13"),
        ("exit 1", "does not run"),
        # The version is there, the module venv is not.
        ('case "$2" in *version*) echo 3.12 ;; *) exit 1 ;; esac', "has no 'venv' module"),
    ],
)
def test_says_what_is_missing(tmp_path: Path, body: str, message: str) -> None:
    result = make_environment(fake_python(tmp_path, body), tmp_path / "env")
    assert result.returncode == 1
    assert message in result.stderr
    assert not (tmp_path / "env").exists()


def test_no_python_at_all(tmp_path: Path) -> None:
    result = make_environment("no-such-python", tmp_path / "env")
    assert result.returncode == 1
    assert "no 'no-such-python' found" in result.stderr
