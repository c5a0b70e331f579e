"""The command says in one line why it ends, and leaves nothing half done."""

from __future__ import annotations

import signal
from pathlib import Path

import cv2
import pytest

from bodypix_train import __main__ as command
from bodypix_train.checkpoint import write_weights
from bodypix_train.errors import Stopped, TrainingError
from bodypix_train.networks.bodypix import BodyPixNet

from .conftest import TINY_RECIPE, person_sample


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (Stopped(Path("last.pt"), 7, signal.SIGTERM), 143, "stopped by SIGTERM at step 7; last.pt"),
        (TrainingError("no room"), 1, "error: no room"),
        (NotADirectoryError(20, "Not a directory", "file/run"), 2, "error: [Errno 20] Not a d"),
        (OSError("read error"), 2, "error: read error"),
        (
            ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn"),
            2,
            "error: this command needs torch, which is not installed; get it with:"
            ' pip install "bodypix[train]"',
        ),
    ],
)
def test_the_command_says_why_it_ends(
    error: Exception, code: int, word: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def fail() -> None:
        raise error

    monkeypatch.setattr(command, "app", fail)
    with pytest.raises(SystemExit) as end:
        command.main()
    assert end.value.code == code
    assert capsys.readouterr().err.startswith(word)


def test_a_module_that_no_extra_brings_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ModuleNotFoundError("No module named 'bodypix_train.gone'", name="bodypix_train.gone")

    monkeypatch.setattr(command, "app", fail)
    with pytest.raises(ModuleNotFoundError, match="gone"):
        command.main()


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "folder", "--data", "folder", "--out", "run"],
        ["train", "recipe.toml", "--data", "folder", "--out", "file"],
        ["train", "recipe.toml", "--data", "folder", "--out", "file/run"],
        ["train", "recipe.toml", "--data", "folder", "--out", "run", "--start", "folder"],
        ["distill", "recipe.toml", "--data", "folder", "--out", "run", "--teacher", "folder"],
        ["label", "recipe.toml", "--data", "folder", "--labels", "file"],
        ["make", "tiny", "--data", "folder", "--out", "file"],
        ["make", "tiny", "--data", "folder", "--out", "file/releases"],
        ["render", "--count", "1", "--out", "file"],
        ["mix", "start.pt", "folder", "out.pt"],
        ["mix", "start.pt", "start.pt", "gone/out.pt"],
        ["mix", "start.pt", "start.pt", "folder"],
        ["narrow", "start.pt", "gone/out.pt", "--pictures", "folder"],
        ["widen", "start.pt", "gone/out.pt"],
        ["widen", "start.pt", "out.pt", "--multiplier", "0.2"],
        ["export", "folder", "out.onnx"],
        ["export", "file", "out.onnx"],
        ["export", "start.pt", "folder"],
        ["export", "start.pt", "gone/out.onnx"],
        ["export", "start.pt", "out.onnx", "--keep", "gone/start.pt"],
        ["evaluate", "--data", "folder", "--report", "file"],
    ],
    ids=" ".join,
)
def test_files_in_the_wrong_place_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("folder/images").mkdir(parents=True)
    cv2.imwrite("folder/images/a.png", person_sample().image)
    Path("file").write_text("text")
    Path("recipe.toml").write_text(TINY_RECIPE)
    write_weights(BodyPixNet(0.25, (8, 8)), Path("start.pt"))
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr("sys.argv", ["bodypix-train", *arguments])
    with pytest.raises(SystemExit) as end:
        command.main()
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert "rror" in told
    assert "Traceback" not in told
    assert sorted(tmp_path.rglob("*")) == before
