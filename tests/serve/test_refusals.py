"""What must be refused is refused, with the right status, and the next request is answered."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from bodypix.segmenter import BodyPix
from bodypix.serve import Settings, create_app
from helpers.png import png

MakeClient = Callable[..., TestClient]


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png_of(width: int, height: int, *chunks: bytes) -> bytes:
    """A grey PNG with that header, whatever its pixels are."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def pixels(size: int) -> bytes:
    return chunk(b"IDAT", zlib.compress(bytes(size)))


def saved(kind: str, image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def many_scans() -> bytes:
    """A progressive JPEG whose last scan, 40 bytes for all of the picture, comes 200 times."""
    jpeg = saved("JPEG", Image.new("L", (640, 480)), progressive=True)
    scan = jpeg[jpeg.rfind(b"\xff\xda") : -2]
    return jpeg[:-2] + scan * 200 + jpeg[-2:]


GREY = Image.new("L", (64, 48))
BAD_PICTURES: dict[str, tuple[bytes, int, str]] = {
    "text": (b"hello", 415, "begin with b'hello'"),
    "html": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "expected a JPEG"),
    "zeros": (bytes(10_000), 415, "expected a JPEG"),
    "pdf": (b"%PDF-1.7\n" + bytes(100), 415, "expected a JPEG"),
    "tiff": (saved("TIFF", GREY), 415, "PNG, WebP, GIF or BMP"),
    "png signature alone": (b"\x89PNG\r\n\x1a\n", 415, "expected a JPEG"),
    "png without end": (png(np.zeros((48, 64), np.uint8))[:-20], 422, "ends too early"),
    "half a jpeg": (saved("JPEG", Image.effect_noise((64, 48), 50))[:900], 422, "ends too early"),
    "broken pixels": (png_of(64, 48, chunk(b"IDAT", b"nonsense")), 422, "broken"),
    "no pixels": (png_of(0, 48, pixels(100)), 422, "no pixels"),
    "bomb of 3.6 gigapixels": (png_of(60_000, 60_000, pixels(10_000_000)), 413, "60000x60000"),
    "one line of 2 gigapixels": (png_of(2**31 - 1, 1, pixels(1000)), 413, "2147483647x1"),
    "gif with a frame beyond its screen": (
        saved("GIF", GREY).replace(
            struct.pack("<HHHH", 0, 0, 64, 48), struct.pack("<HHHH", 0, 0, 60000, 60000)
        ),
        422,
        "broken",
    ),
    "webp that lies about its size": (
        saved("WEBP", GREY.convert("RGBA"), lossless=True, exif=b"Exif\0\0")[:24]
        + bytes([9, 0, 0, 9, 0, 0])
        + saved("WEBP", GREY.convert("RGBA"), lossless=True, exif=b"Exif\0\0")[30:],
        422,
        "broken",
    ),
    "jpeg of 200 scans": (many_scans(), 422, "scans"),
}


@pytest.fixture(scope="module")
def limited(model: BodyPix) -> Iterator[TestClient]:
    settings = Settings(workers=1, max_bytes=1_000_000)
    with TestClient(create_app(model, settings), base_url="http://localhost") as client:
        yield client


@pytest.fixture
def busy(
    limited: TestClient, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """A client whose server must still answer after each test."""
    # This client never hangs up by itself.
    monkeypatch.setattr("bodypix.serve.problems._LINGER_SECONDS", 0.01)
    yield limited
    assert limited.post("/v1/segment", content=photo).status_code == 200


@pytest.mark.parametrize("name", BAD_PICTURES)
@pytest.mark.parametrize("as_form", [False, True], ids=["body", "form"])
def test_bad_pictures(busy: TestClient, name: str, as_form: bool) -> None:
    content, status, message = BAD_PICTURES[name]
    upload: dict[str, Any] = {"files": {"image": content}} if as_form else {"content": content}
    answer = busy.post("/v1/segment", **upload)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert message in problem["detail"]
    assert "Traceback" not in problem["detail"]


@pytest.mark.parametrize("cut", range(0, 700, 37))
def test_no_beginning_of_a_picture_is_a_crash(busy: TestClient, cut: int) -> None:
    content = saved("JPEG", Image.effect_noise((64, 48), 50))[: cut + 1]
    assert busy.post("/v1/segment", content=content).status_code in (415, 422)


def test_a_bomb_is_refused_by_its_header(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("bodypix.serve.work.decode_image", never)
    client = make_client(max_pixels=64 * 48 - 1)
    answer = client.post("/v1/segment", content=saved("PNG", GREY))
    assert answer.status_code == 413
    assert "at most 3071 pixels, got 64x48" in answer.json()["detail"]


def test_large_pictures_at_a_large_resolution(make_client: MakeClient) -> None:
    client = make_client(max_pixels=64 * 48)
    content = saved("PNG", GREY)
    assert client.post("/v1/segment", content=content).status_code == 200
    answer = client.post("/v1/segment?internal_resolution=2", content=content)
    assert answer.status_code == 422
    assert "internal_resolution" in answer.json()["detail"]


def test_strips_of_one_pixel(busy: TestClient) -> None:
    """Sides differ so much that sizes in between may become huge."""
    for shape in ((1, 20_000), (20_000, 1), (33, 60_000)):
        answer = busy.post("/v1/segment?output=part-ids", content=png(np.zeros(shape, np.uint8)))
        assert answer.status_code in (200, 413, 422)


def test_bodies_that_are_too_large(busy: TestClient) -> None:
    answer = busy.post("/v1/segment", content=bytes(1_000_001))
    assert answer.status_code == 413
    assert "at most 1000000 bytes, got 1000001" in answer.json()["detail"]
    assert answer.headers["connection"] == "close"
    # Without a Content-Length it is found out on the way.
    answer = busy.post("/v1/segment", content=iter([bytes(600_000)] * 2))
    assert answer.status_code == 413
    answer = busy.post("/v1/segment", files={"image": bytes(1_000_001)})
    assert answer.status_code == 413


def test_no_body(busy: TestClient) -> None:
    assert busy.post("/v1/segment").status_code == 400
    assert busy.post("/v1/segment", files={"image": b""}).status_code == 400


BOUNDARY = {"Content-Type": "multipart/form-data; boundary=x"}
PART = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Content-Type": "multipart/form-data"}, b"--x--", 400),
        ({"Content-Type": "multipart/form-data; boundary="}, b"--x--", 400),
        ({"Content-Type": f"multipart/form-data; boundary={'x' * 1000}"}, b"--x--", 400),
        (BOUNDARY, b"nonsense", 400),
        (BOUNDARY, b"--x--\r\n", 400),
        (BOUNDARY, b"--x\r\nContent-Disposition: form-data\r\n\r\n--x--", 422),
        (BOUNDARY, b"--x\r\n\r\n--x--", 422),
        (BOUNDARY, b"--x\r\n" + b"A: b\r\n" * 10_000 + b"\r\n\r\n--x--", 400),
        (BOUNDARY, b"--x\r\nA: " + b"b" * 100_000 + b"\r\n\r\n--x--", 400),
        (BOUNDARY, (PART + b"a\r\n") * 2 + b"--x--", 400),
        (BOUNDARY, (PART + b"a\r\n") * 10_000 + b"--x--", 400),
        (BOUNDARY, PART + b"never ends", 400),
        (BOUNDARY, PART.replace(b'; filename="a"', b"") + b"text\r\n--x--", 422),
    ],
)
def test_broken_forms(
    busy: TestClient, headers: dict[str, str], content: bytes, status: int
) -> None:
    answer = busy.post("/v1/segment", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_options_in_the_form_are_not_ignored(busy: TestClient, photo: bytes) -> None:
    answer = busy.post("/v1/segment", files={"image": photo}, data={"output": "json"})
    assert answer.status_code == 422
    assert "go into the query" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"treshold": "0.5"}, "treshold", "no such option"),
        ({"output": "gif"}, "output", "'mask'"),
        ({"segmentation_threshold": "1.1"}, "segmentation_threshold", "less than or equal to 1"),
        ({"segmentation_threshold": "nan"}, "segmentation_threshold", "finite"),
        ({"score_threshold": "-0.1"}, "score_threshold", "greater than or equal to 0"),
        ({"min_keypoint_score": "x"}, "min_keypoint_score", "number"),
        ({"internal_resolution": "huge"}, "internal_resolution", "'medium'"),
        ({"internal_resolution": "2.1"}, "internal_resolution", "0.1 to 2.0"),
        ({"internal_resolution": "nan"}, "internal_resolution", "0.1 to 2.0"),
        ({"max_detections": "0"}, "max_detections", "greater than or equal to 1"),
        ({"max_detections": "1000000"}, "max_detections", "less than or equal to 100"),
        ({"nms_radius": "0"}, "nms_radius", "greater than 0"),
        ({"refine_steps": "21"}, "refine_steps", "less than or equal to 20"),
        ({"flip_horizontal": "maybe"}, "flip_horizontal", "boolean"),
        ({"output": "parts", "colors": "pink"}, "colors", "'rainbow'"),
        ({"parts": "true"}, "parts", "only with output=json"),
        ({"output": "json", "soft": "true"}, "soft", "only with output=cutout"),
    ],
)
def test_options_out_of_range(
    client: TestClient, photo: bytes, query: dict[str, str], field: str, message: str
) -> None:
    answer = client.post("/v1/segment", params=query, content=photo)
    assert answer.status_code == 422
    (problem,) = answer.json()["fields"]
    assert problem["field"] == field
    assert message in problem["message"]
    assert f"{field}: " in answer.json()["detail"]


def test_other_methods_and_paths(client: TestClient) -> None:
    answer = client.get("/v1/segment")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert client.post("/v1/other").status_code == 404
    assert client.get("/v1/other").json()["detail"] == "Nothing is at /v1/other."


def test_a_failure_inside_tells_nothing(
    make_client: MakeClient, model: BodyPix, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a secret")

    client = make_client()
    with monkeypatch.context() as patch:
        patch.setattr("bodypix.serve.work.search", fail)
        answer = client.post("/v1/segment", content=photo)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in answer.text
    assert client.post("/v1/segment", content=photo).status_code == 200


def test_an_option_that_is_given_twice(limited: TestClient) -> None:
    picture = png(np.zeros((48, 64), np.uint8))
    answer = limited.post("/v1/segment?output=mask&output=json", content=picture)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("output: expected once in the query")
