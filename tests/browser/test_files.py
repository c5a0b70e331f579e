"""Files in and out: photos, videos, snapshots, recordings, models."""

from __future__ import annotations

import re
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from bodypix.checkpoints.onnx_format import write_model
from bodypix.checkpoints.tfjs import convert_tfjs
from bodypix.segmenter import BodyPix, load
from helpers import moving_photo
from helpers.demo_page import Demo


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A WebM file of two seconds."""
    path = tmp_path_factory.mktemp("video") / "clip.webm"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        for picture in moving_photo.moving_photo(20):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_photo_is_segmented_as_in_python(demo: Demo, photo: Path, model: BodyPix) -> None:
    demo.open(photo)
    painted = demo.choose("mask", threshold=0.5)
    assert (painted.frame == moving_photo.photo()).all()
    expected = model.segment_person(painted.frame, segmentation_threshold=0.5)
    assert (painted.found[0] == expected.mask).mean() >= 0.995


def test_large_photos_are_shrunk(demo: Demo, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    cv2.imwrite(str(path), np.zeros((100, 4000, 3), np.uint8))
    demo.open(path)
    assert demo.choose("mask").frame.shape == (64, 2560, 3)


def test_a_video_plays_pauses_and_seeks(demo: Demo, video: Path) -> None:
    page = demo.page
    demo.open(video)
    demo.painted(2)
    page.click("#play")
    page.wait_for_selector("#play[aria-label=Play]")
    time.sleep(0.5)  # until what was under way is painted
    before = demo.choose("mask", opacity=0.9)  # paused, and still computed and painted anew
    position = float(page.input_value("#seek"))
    page.evaluate("painted.length = 0; wanted = 1e9")
    page.fill("#seek", "0.1" if position > 0.5 else "0.9")
    page.wait_for_function(
        "before => painted.some(({ frame }) => frame !== before)", arg=before.encoded_frame
    )
    page.click("#play")
    page.wait_for_selector("#play[aria-label=Pause]")


def test_what_is_no_picture_is_refused(demo: Demo, tmp_path: Path) -> None:
    path = tmp_path / "notes.jpg"
    path.write_text("not a photo")
    demo.page.set_input_files("#file", path)
    notice = demo.page.wait_for_selector("#notice", state="visible")
    assert "cannot be shown" in notice.inner_text()
    assert "notes.jpg" in notice.inner_text()


def test_dropped_files_open(demo: Demo) -> None:
    page = demo.page
    png = cv2.imencode(".png", cv2.resize(moving_photo.photo(), (96, 64)))[1]
    data = page.evaluate_handle(
        """bytes => {
            const transfer = new DataTransfer();
            const file = new File([Uint8Array.from(bytes)], 'dropped.png', { type: 'image/png' });
            transfer.items.add(file);
            return transfer;
        }""",
        png.tolist(),
    )
    page.dispatch_event("#frame", "dragenter", {"dataTransfer": data})
    page.wait_for_selector("#frame.dropping")
    page.dispatch_event("#frame", "drop", {"dataTransfer": data})
    page.wait_for_function(
        "() => document.getElementById('status').textContent.includes('dropped')"
    )
    assert demo.choose("mask").frame.shape == (64, 96, 3)


def test_snapshots_keep_transparency(demo: Demo, photo: Path, tmp_path: Path) -> None:
    demo.open(photo)
    painted = demo.choose("cutout")
    with demo.page.expect_download() as download:
        demo.page.keyboard.press("s")
    assert re.fullmatch(r"bodypix-\d{4}-\d\d-\d\d-\d{6}\.png", download.value.suggested_filename)
    path = tmp_path / "snapshot.png"
    download.value.save_as(path)
    saved = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert (cv2.cvtColor(saved, cv2.COLOR_BGRA2RGBA) == painted.drawn).all()


@pytest.mark.parametrize(("effect", "alpha"), [("cutout", True), ("parts", False)])
def test_recordings(demo: Demo, tmp_path: Path, effect: str, alpha: bool) -> None:
    page = demo.page
    demo.start_camera()
    demo.choose(effect)
    page.click("#record")
    page.wait_for_selector("#recording", state="visible")
    demo.painted(5)
    time.sleep(1)
    with page.expect_download() as download:
        page.click("#record")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    with av.open(str(path)) as container:
        (stream,) = container.streams
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert (stream.metadata.get("alpha_mode") == "1") == alpha
    assert len(frames) >= 2
    assert frames[0].shape == (480, 640, 3)
    assert page.is_hidden("#recording")


def test_models_can_be_switched(demo: Demo, photo: Path, shared: Path, tmp_path: Path) -> None:
    page = demo.page
    path = tmp_path / "published.onnx"
    model_json = shared / "golden/tfjs/float/050/model-stride16.json"
    path.write_bytes(write_model(convert_tfjs(model_json)))
    demo.open(photo)
    own = demo.choose("mask").found[0]

    page.set_input_files("#weights-file", path)
    page.wait_for_function("() => document.getElementById('model').value === 'published.onnx'")
    page.wait_for_selector("#busy", state="hidden")
    published = demo.choose("mask", model="published.onnx").found[0]
    expected = load(path, threads=1).segment_person(moving_photo.photo()).mask
    assert (published == expected).mean() >= 0.995
    assert (published != own).mean() > 0.005

    name = page.evaluate("document.getElementById('model').options[0].value")
    again = demo.choose("mask", model=name).found[0]
    assert (again == own).all()


def test_a_broken_model_leaves_the_old_one_at_work(demo: Demo, photo: Path, tmp_path: Path) -> None:
    page = demo.page
    demo.open(photo)
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    before = page.evaluate("document.getElementById('model').value")
    page.set_input_files("#weights-file", path)
    notice = page.wait_for_selector("#notice", state="visible")
    assert "does not load" in notice.inner_text()
    page.click("#notice-close")
    assert page.evaluate("document.getElementById('model').value") == before
    assert demo.choose("mask", opacity=0.4).found[0].any()
