"""`bodypix models`: list, download, convert, info."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bodypix.checkpoints.catalogue import PUBLISHED
from bodypix.cli.app import app


def models(*arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `bodypix models ...`."""
    result = CliRunner().invoke(app, ["models", *map(str, arguments)], env={"COLUMNS": "200"})
    return result.exit_code, result.stdout, result.stderr


def test_list_names_every_model_and_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BODYPIX_CACHE", "somewhere")
    code, out, _ = models("list")
    assert code == 0
    for model in PUBLISHED:
        assert model.name in out
    assert "the default" in out
    assert "somewhere" in out


def test_info_of_a_file(model_file: Path) -> None:
    code, out, _ = models("info", model_file)
    assert code == 0
    assert "colours, version 1" in out
    assert "MobileNetV1 0.5, output stride 16" in out
    assert "part_heatmaps (24)" in out
    assert str(model_file) in out


def test_info_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"nothing")
    code, _, err = models("info", tmp_path / "x.onnx")
    assert code == 2
    assert len(err.splitlines()) == 1


def test_download_offline_says_so_and_goes_on() -> None:
    code, _, err = models("download", PUBLISHED[0].name, PUBLISHED[1].name)
    assert code == 1  # tests run with BODYPIX_OFFLINE=1
    assert PUBLISHED[0].name in err
    assert PUBLISHED[1].name in err


@pytest.mark.parametrize(
    "arguments", [["download"], ["download", "no-such-model"], ["info", "gone"]]
)
def test_wrong_use(arguments: list[str]) -> None:
    code, _, err = models(*arguments)
    assert code == 2
    assert err


def test_convert_wants_an_onnx_name(tmp_path: Path) -> None:
    code, _, err = models("convert", tmp_path / "model.json", "-o", tmp_path / "model.bin")
    assert code == 2
    assert ".onnx" in err


def test_convert_of_a_missing_file(tmp_path: Path) -> None:
    code, _, err = models("convert", tmp_path / "gone.json", "-o", tmp_path / "model.onnx")
    assert code == 2
    assert "gone.json" in err
    assert not (tmp_path / "model.onnx").exists()


def test_convert_then_info(shared: Path, tmp_path: Path) -> None:
    source = shared / "golden" / "tfjs" / "quant2" / "050" / "model-stride16.json"
    code, out, err = models("convert", source, "-o", tmp_path / "model.onnx")
    assert code == 0, err
    assert "mobilenet-050-stride16-quant2" in out
    code, out, _ = models("info", tmp_path / "model.onnx")
    assert code == 0
    assert "displacement_bwd (32)" in out
