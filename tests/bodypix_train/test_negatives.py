"""Pictures made of packages' files: what archives hold, crops and views, what is named."""

from __future__ import annotations

import base64
import io
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest
from typer.testing import CliRunner

from bodypix_train.__main__ import app
from bodypix_train.negatives.archives import icons, members, qt_resource
from bodypix_train.negatives.collect import COLUMNS, read_list
from bodypix_train.negatives.views import decode, photos, thing

RELEASED = Path(__file__).parents[2] / "release/bodypix-mobilenet-050/negatives.tsv"


def picture(suffix: str, shape: tuple[int, ...]) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return cv2.imencode(suffix, noise)[1].tobytes()


def resource(files: dict[str, bytes]) -> bytes:
    """A Qt resource of the folder "in" with these files; the second is compressed."""
    names, contents, nodes = b"", b"", []

    def name(text: str) -> int:
        nonlocal names
        offset = len(names)
        names += struct.pack(">HI", len(text), 0) + text.encode("utf-16-be")
        return offset

    nodes.append(struct.pack(">IHIIQ", 0, 2, 1, 1, 0))
    nodes.append(struct.pack(">IHIIQ", name("in"), 2, len(files), 2, 0))
    for number, (path, content) in enumerate(files.items()):
        packed = struct.pack(">I", len(content)) + zlib.compress(content) if number else content
        nodes.append(struct.pack(">IHIIQ", name(path), number, 0, len(contents), 0))
        contents += struct.pack(">I", len(packed)) + packed
    tree = b"".join(nodes)
    header = struct.pack(">4s4I", b"qres", 2, 20, 20 + len(tree), 20 + len(tree) + len(contents))
    return header + tree + contents + names


def library(icon: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("PluginFurnitureCatalog.properties", "name#7=Chair\nicon#7=/a/chair.png\n")
        archive.writestr("a/chair.png", icon)
    return file.getvalue()


def tar(files: dict[str, bytes], mode: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def deb(files: dict[str, bytes]) -> bytes:
    out = b"!<arch>\n"
    parts = {"debian-binary": b"2.0", "data.tar.xz": tar(files, "w:xz")}  # the first is padded
    for name, content in parts.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{644:<8}{len(content):<10}`\n".encode()
        out += content + b"\n" * (len(content) % 2)
    return out


def listed(folder: Path, *rows: str) -> Path:
    path = folder / "list.tsv"
    lines = ["\t".join(COLUMNS), *(row.replace(" | ", "\t") for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    photo, icon = picture(".jpg", (480, 700, 3)), picture(".png", (20, 30, 4))
    (folder / "walls_2.0-1_all.deb").write_bytes(deb({"./usr/a.jpg": photo, "./usr/b.jpg": b"?"}))
    (folder / "games_1.0_all.deb").write_bytes(
        deb({"./x.rcc": resource({"c.jpg": photo, "d.jpg": photo}), "./f.sh3f": library(icon)})
    )
    (folder / "some-assets-1.2.tgz").write_bytes(tar({"package/e.jpg": photo}, "w:gz"))
    return folder


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["negatives", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_pictures_are_made_of_what_is_listed(packages: Path, tmp_path: Path) -> None:
    path = listed(
        tmp_path,
        "walls@other | 5:2.0-1 | usr/a.jpg | CC0 | images | 3",
        "walls@other | 5:2.0-1 | usr/b.jpg | CC0 | images | 1",
        "walls@other | 5:2.0-1 | usr/none.jpg | CC0 | images | 1",
        "games | 1.0 | in/c.jpg | CC0 | images | 1",
        "games | 1.0 | in/d.jpg | CC0 | images | 1",
        "games_Lib_icons | 1.0 | f.sh3f: Chair_7 | CC0 | objects | 1",
        "some_assets | npm @some/assets 1.2 | package/e.jpg | CC0 | images | 1",
        "gone | 3 | usr/f.jpg | CC0 | images | 1",
    )
    out = tmp_path / "out"
    code, told, errors = run(path, "--packages", packages, "--out", out)
    assert code == 0
    assert told.strip() == f"{out}: pictures of 5 files, 3 files left out"
    assert errors.splitlines() == [
        "walls_2.0-1_*.deb: 2 of its files cannot be used", "gone_3_*.deb: not in the folder",
    ]  # fmt: skip
    assert sorted(p.name for p in (out / "images").iterdir()) == [
        "games_in_c.jpg_0.jpg", "games_in_d.jpg_0.jpg", "some-assets_package_e.jpg_0.jpg",
        *(f"walls_usr_a.jpg_{number}.jpg" for number in range(3)),
    ]  # fmt: skip
    assert cv2.imread(str(out / "images" / "walls_usr_a.jpg_0.jpg")).shape == (439, 640, 3)
    chair = out / "objects" / "games_f.sh3f_Chair_7.png"
    assert cv2.imread(str(chair), cv2.IMREAD_UNCHANGED).shape == (20, 30, 4)

    chair.write_bytes(b"as it was")
    assert run(path, "--packages", packages, "--out", out)[1] == told  # started again: goes on
    assert chair.read_bytes() == b"as it was"


def test_the_released_list_is_read() -> None:
    entries = read_list(RELEASED)
    assert {"sweethome3d-furniture_1.8-1_*.deb", "pmndrs-assets-1.7.0.tgz"} <= {
        entry.archive for entry in entries
    }
    paths = [path for entry in entries for path in entry.pictures(Path())]
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a | 1 | b.jpg | CC0 | sounds | 1", "line 2: kind: expected images or objects"),
        ("a | 1 | b.jpg | CC0 | images | many", "made of it: expected a number from 1, got 'many'"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_list(listed(tmp_path, row))


def test_another_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.tsv"
    path.write_text("name\tage\n")
    with pytest.raises(ValueError, match=r"expected the columns package, .*, got name, age"):
        read_list(path)


@pytest.mark.parametrize(
    "cut", [b"!<arch>\nhalf a header", b"!<arch>\n" + b"no numbers here" * 9, b"nothing at all"]
)
def test_a_broken_package_is_named(tmp_path: Path, cut: bytes) -> None:
    path = tmp_path / "cut.deb"
    path.write_bytes(cut)
    with pytest.raises(ValueError, match=r"cut\.deb: expected a whole \.deb or \.tgz"):
        list(members(path))


@pytest.mark.parametrize("kind", ["deb", "tgz"])
@pytest.mark.parametrize("harm", ["cut", "overwritten"])
def test_a_package_that_breaks_off_is_named(tmp_path: Path, kind: str, harm: str) -> None:
    noise = np.random.default_rng(0).bytes(200_000)
    files = {"./a": noise, "./b": noise[::-1]}
    data = deb(files) if kind == "deb" else tar(files, "w:gz")
    middle = len(data) // 2
    path = tmp_path / f"half.{kind}"
    path.write_bytes(data[:middle] + (b"" if harm == "cut" else b"\xff" * (len(data) - middle)))
    with pytest.raises(ValueError, match=r"half\.\w+: expected a whole"):
        list(members(path))


def test_others_than_resources_and_furniture_hold_nothing() -> None:
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    assert list(qt_resource(b"something else")) == []
    assert list(icons("x.sh3f", empty.getvalue())) == []


def test_a_panorama_is_seen_all_around() -> None:
    """A white quarter of the horizon is straight ahead in one of four views."""
    panorama = np.zeros((128, 256, 3), np.uint8)
    panorama[:, 96:160] = 255
    views = photos(panorama, 4)
    assert {view.shape for view in views} == {(480, 640, 3)}
    assert [int(view[240, 320, 0]) for view in views] == [255, 0, 0, 0]
    assert len(photos(panorama, 1)) == 1
    assert photos(panorama, 1)[0].shape == panorama.shape


def test_light_becomes_a_picture() -> None:
    light = np.random.default_rng(0).uniform(0, 50, (64, 96, 3)).astype(np.float32)
    (photo,) = photos(light, 1)
    assert photo.dtype == np.uint8
    assert 120 < photo.mean() < 240
    assert photos(light * 1000, 1)[0] == pytest.approx(photo, abs=1)  # exposure does not matter


def test_light_in_a_script_is_read(tmp_path: Path) -> None:
    light = np.full((4, 8, 3), [1.0, 2.0, 3.0], np.float32)  # RGB
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"RGB": light}).write(str(tmp_path / "a.exr"))
    script = b"export default 'data:application/exr;base64,%b'"
    script %= base64.b64encode((tmp_path / "a.exr").read_bytes())
    for name, content in [("a.exr", (tmp_path / "a.exr").read_bytes()), ("a.exr.js", script)]:
        image = decode(name, content)
        assert image is not None
        assert image.dtype == np.float32
        assert (image == light[..., ::-1]).all()
    assert decode("a.exr", b"half of one") is None
    OpenEXR.File(header, {"Y": light[..., 0].copy()}).write(str(tmp_path / "grey.exr"))
    assert decode("grey.exr", (tmp_path / "grey.exr").read_bytes()) is None
    assert decode("a.exr.js", b"export default 1") is None


def test_transparency_is_white_in_photos_and_asked_of_things() -> None:
    glass = np.zeros((40, 40, 4), np.uint8)
    assert (photos(glass, 1)[0] == 255).all()
    assert photos(glass[..., 0], 1)[0].shape == (40, 40, 3)
    assert thing(glass[..., :3]) is None
    assert thing(np.zeros((800, 100, 4), np.uint8)).shape == (400, 50, 4)  # type: ignore[union-attr]
    deep = cv2.imencode(".png", np.full((8, 8), 65535, np.uint16))[1].tobytes()
    assert decode("deep.png", deep).dtype == np.uint8  # type: ignore[union-attr]
