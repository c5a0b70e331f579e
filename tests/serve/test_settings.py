"""Settings out of range, and how the command says what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bodypix.cli.app import app
from bodypix.errors import InvalidArgumentError
from bodypix.serve import Settings
from bodypix.serve.server import listen


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("workers", 0),
        ("workers", 100_000),
        ("queue", -1),
        ("uploads", 0),
        ("max_bytes", 0),
        ("max_pixels", 0),
        ("max_connections", 0),
        ("timeout", 0),
        ("body_timeout", -1.0),
        ("stall_timeout", float("nan")),
        ("shutdown_timeout", 0),
        ("allowed_hosts", ("http://a",)),
        ("allowed_hosts", ("",)),
        ("allowed_origins", ("example.org",)),
        ("allowed_origins", ("https://example.org/",)),
        ("allowed_origins", ("ftp://example.org",)),
    ],
)
def test_settings_out_of_range(name: str, value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{name}: expected .* got"):
        Settings(**{name: value})


def test_default_settings() -> None:
    settings = Settings()
    assert 1 <= settings.workers <= 8
    # "medium" halves both sides, so it fits for every picture that is let in.
    assert settings.max_network_pixels == settings.max_pixels // 4


def serve(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["serve", *map(str, arguments)])


def test_a_port_that_is_taken(model_file: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        result = serve("--model", model_file, "--port", taken.getsockname()[1])
    assert result.exit_code == 2
    assert "Choose another --port" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1"),
        (["--allow-origin", "example.org"], "allowed_origins"),
        (["--port", "0", "--certificate", "no-such-file.pem"], "certificate"),
        (["--key", "key.pem"], "--certificate"),
        (["--port", "70000"], "65535"),
        (["--queue", "-1"], "--queue"),
        (["--model", "no-such-model"], "no-such-model"),
    ],
)
def test_wrong_use(model_file: Path, arguments: list[str], message: str) -> None:
    result = serve("--model", model_file, *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_without_the_extra_the_command_says_what_to_install(model_file: Path) -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from bodypix.cli.app import main\n"
        f"sys.argv = ['bodypix', 'serve', '--model', {str(model_file)!r}]\n"
        "main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 2
    assert 'pip install "bodypix[serve]"' in result.stderr
    assert "uvicorn" in result.stderr


def test_other_commands_do_not_need_the_extra() -> None:
    code = (
        "import sys; sys.modules['fastapi'] = sys.modules['uvicorn'] = None\n"
        "from bodypix.cli.app import main\n"
        "sys.argv = ['bodypix', 'serve', '--help']\n"
        "main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0
    assert "--allow-origin" in result.stdout
