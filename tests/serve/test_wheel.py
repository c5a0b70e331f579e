"""The wheel carries the demo page, which git ignores."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = {
    "index.html": b"<!doctype html>",
    "assets/index-BxU2_a9Z.js": b"1",
    "bodypix/ort-wasm-simd-threaded.wasm": b"\0asm",
    "bodypix/models/bodypix-mobilenet-050.onnx": b"model",
}


@pytest.mark.parametrize("built", [True, False])
def test_the_page_is_in_the_wheel_if_it_was_built(tmp_path: Path, built: bool) -> None:
    pytest.importorskip("hatchling")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__", "page", "bodypix_train")
    shutil.copytree(ROOT / "src", source / "src", ignore=ignored)
    (source / "src" / "bodypix_train").mkdir()
    (source / "src" / "bodypix_train" / "__init__.py").touch()
    page = source / "src" / "bodypix" / "serve" / "page"
    for name, content in PAGE.items() if built else ():
        (page / name).parent.mkdir(parents=True, exist_ok=True)
        (page / name).write_bytes(content)
    result = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", tmp_path / "dist"],
        cwd=source,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        prefix = "bodypix/serve/page/"
        found = {
            name.removeprefix(prefix): archive.read(name)
            for name in archive.namelist()
            if name.startswith(prefix)
        }
        names = archive.namelist()
    assert found == (PAGE if built else {})
    assert "bodypix/serve/static/docs.css" in names
    assert "bodypix/serve/static/docs.js" in names
    assert not [name for name in names if "node_modules" in name or name.startswith("web/")]
