"""What the documentation shows works: its Python examples run, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import bodypix
from bodypix import segmenter
from helpers.clips import CONSTANT, make_clip
from helpers.colours import colour_network, picture, save

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WITH_PYTHON = [page for page in PAGES if "```python" in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
def test_python_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All blocks of a page one after the other, on the colour network and a drawn photo."""
    (tmp_path / "model.onnx").write_bytes(colour_network())
    photo = picture(people=2).repeat(2, axis=0).repeat(2, axis=1)  # "medium" halves it again
    save(tmp_path / "photo.jpg", photo)
    make_clip(tmp_path / "in.mp4", CONSTANT[:3], size=(160, 120))
    monkeypatch.chdir(tmp_path)
    model = segmenter.load("model.onnx", threads=1)
    monkeypatch.setattr(bodypix, "load", lambda *_, **__: model, raising=False)
    names: dict[str, Any] = {"image": photo, "img": photo, "frames": [photo, photo]}
    for number, block in enumerate(
        re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL), start=1
    ):
        exec(compile(block, f"{page.name}, block {number}", "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [
        link for link in links if "://" not in link and not (page.parent / link).resolve().exists()
    ]
    assert not missing
