"""Whole pictures: seeded, with labels that agree with each other; shards; the reader."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from bodypix.body import PARTS
from bodypix_train.datasets.lazy import Budget
from bodypix_train.datasets.synthetic import read_synthetic_folder, to_sample
from bodypix_train.recipe import Source, read_source
from bodypix_train.synthetic import produce as production
from bodypix_train.synthetic.looks import skin_color
from bodypix_train.synthetic.mesh import NOBODY
from bodypix_train.synthetic.shards import decode_image, encode, read_shards, write_shard

COUNT = 6


@pytest.fixture(scope="module")
def pictures(studio):
    return [studio.picture(number) for number in range(COUNT)]


def test_same_seed_same_picture(studio, pictures):
    again = studio.picture(4)
    for name in ("image", "alpha", "parts", "people", "depth", "keypoints"):
        np.testing.assert_array_equal(getattr(again, name), getattr(pictures[4], name))
    assert again.about == pictures[4].about


def test_numbers_give_different_pictures(pictures):
    assert len({picture.image.tobytes() for picture in pictures}) == COUNT


def test_shapes_and_ranges(pictures):
    for picture in pictures:
        shape = picture.image.shape[:2]
        assert max(shape) == 96
        for name in ("alpha", "parts", "people", "depth"):
            assert getattr(picture, name).shape == shape, name
        assert ((picture.parts < PARTS) | (picture.parts == NOBODY)).all()
        assert picture.keypoints.shape == (len(picture.about["people"]), 17, 3)


def test_labels_agree_with_each_other(pictures):
    for picture in pictures:
        person = picture.parts != NOBODY
        np.testing.assert_array_equal(person, picture.people != NOBODY)
        assert (picture.alpha[person] >= 127).all()
        # Blur may carry a little alpha to where no sample shows a person.
        assert (person == (picture.alpha >= 128)).mean() > 0.985
        assert (picture.depth[person] < 65535).all()


def test_somebody_is_in_most_pictures(pictures):
    assert np.mean([(picture.alpha > 127).mean() > 0.02 for picture in pictures]) > 0.7


def test_seen_keypoints_lie_on_their_person(pictures):
    on, seen = 0, 0
    for picture in pictures:
        for index, person in enumerate(picture.keypoints):
            for x, y, visible in person:
                if visible == 2:
                    around = picture.people[max(int(y) - 1, 0) :, max(int(x) - 1, 0) :][:3, :3]
                    seen += 1
                    on += index in around
                elif visible == 0:
                    assert (x, y) == (0, 0)
    assert seen > 20
    assert on / seen > 0.95


def test_skin_tones_run_from_light_to_dark():
    light = [sum(skin_color(tone)) for tone in np.linspace(3, 9, 13)]
    assert light == sorted(light, reverse=True)
    assert sum(skin_color(0)) > 6 * sum(skin_color(9))


def test_shards_keep_what_they_are_given(pictures, tmp_path):
    write_shard(tmp_path / "shard-00000.tar", [(n, encode(p)) for n, p in enumerate(pictures)])
    read = list(read_shards(tmp_path))
    assert [key for key, _ in read] == [f"{n:08d}" for n in range(COUNT)]
    for (_, files), picture in zip(read, pictures, strict=True):
        np.testing.assert_array_equal(decode_image(files["alpha.png"]), picture.alpha)
        np.testing.assert_array_equal(decode_image(files["parts.png"]), picture.parts + np.uint8(1))
        np.testing.assert_array_equal(decode_image(files["depth.png"]), picture.depth)
        difference = decode_image(files["jpg"]).astype(int) - picture.image
        assert np.abs(difference).mean() < 12
        about = json.loads(files["json"])
        np.testing.assert_allclose(about["keypoints"], picture.keypoints, atol=0.01)


def test_broken_shards_are_named_and_left_out(pictures, tmp_path, caplog):
    whole = [(n, encode(p)) for n, p in enumerate(pictures)]
    write_shard(tmp_path / "shard-00000.tar", whole)
    with tarfile.open(tmp_path / "shard-00000.tar") as tar:
        end = tar.getmember("00000002.parts.png").offset_data + 10
    content = (tmp_path / "shard-00000.tar").read_bytes()
    (tmp_path / "shard-00001.tar").write_bytes(content[:end])
    assert len(list(read_shards(tmp_path))) == COUNT + 2
    assert "shard-00001.tar" in caplog.text


def test_samples_of_shards(pictures, tmp_path):
    folder = tmp_path / "people"
    folder.mkdir()
    write_shard(folder / "shard-00000.tar", [(n, encode(p)) for n, p in enumerate(pictures)])
    source = Source("synthetic", "people", 1.0)
    samples = read_source(source, tmp_path, tmp_path, Budget(0))
    for sample, picture in zip(samples, pictures, strict=True):
        height, width = picture.alpha.shape
        assert sample.image.shape == (height, width, 3)
        assert sample.person.shape == (height // 2 + 1, width // 2 + 1)
        assert sample.parts.shape == (height // 4 + 1, width // 4 + 1, PARTS)
        assert (sample.trust == 255).all()
        assert set(np.unique(sample.parts)) <= {0, 255}
        assert (sample.parts.astype(int).sum(axis=2) <= 255).all()
        coarse = cv2.resize(sample.person, (width, height))
        agree = ((coarse > 127) == (picture.alpha > 127)).mean()
        assert agree > 0.95


def test_the_parts_of_a_sample_lie_where_the_picture_has_them():
    parts = np.zeros((64, 48), np.uint8)
    parts[:, 24:] = 11
    image = np.zeros((64, 48, 3), np.uint8)
    alpha = np.where(parts, 255, 0).astype(np.uint8)
    files = {
        name: cv2.imencode(ending, pixels)[1].tobytes()
        for name, ending, pixels in (
            ("jpg", ".jpg", image), ("alpha.png", ".png", alpha), ("parts.png", ".png", parts),
            ("people.png", ".png", alpha // 255),
        )
    }  # fmt: skip
    files["json"] = b'{"keypoints": [' + str([[30, 20, 2]] * 17).encode() + b"]}"
    sample = to_sample("half", files)
    assert sample.instances is not None
    assert np.array_equal(sample.instances > 0, sample.person > 127)
    assert sample.keypoints is not None
    assert sample.keypoints.shape == (1, 17, 3)
    assert sample.parts.shape == (17, 13, 24)
    assert (sample.parts[:, 7:, 10] == 255).all()
    assert not sample.parts[:, :6].any()


def test_an_incomplete_picture_is_left_out(pictures, tmp_path, caplog):
    files = encode(pictures[0])
    without = {ending: content for ending, content in files.items() if ending != "alpha.png"}
    write_shard(tmp_path / "shard-00000.tar", [(0, files), (1, without)])
    assert len(read_synthetic_folder(tmp_path, Budget(10**6))) == 1
    assert "picture 00000001 is incomplete" in caplog.text


def test_shards_that_change_while_they_are_used(pictures, tmp_path, caplog):
    files = encode(pictures[0])
    write_shard(tmp_path / "shard-00000.tar", [(0, files)])
    write_shard(tmp_path / "shard-00001.tar", [(1, files)])
    samples = read_synthetic_folder(tmp_path, Budget(0))
    size = (tmp_path / "shard-00000.tar").stat().st_size
    (tmp_path / "shard-00000.tar").write_bytes(b"?" * size)
    assert samples[0].name.endswith("/00000001")
    assert "shard-00000.tar: picture 00000000" in caplog.text
    (tmp_path / "shard-00001.tar").unlink()
    with pytest.raises(ValueError, match="none of its pictures can be used"):
        samples[1]


def test_a_folder_without_shards_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"expected shards"):
        read_synthetic_folder(tmp_path, Budget(10**6))


class Pool:
    """Renders in this process."""

    def __init__(self, studio) -> None:
        self.studio = studio
        self.rendered: list[int] = []

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, _, number: int):
        files = encode(self.studio.picture(number % COUNT))
        self.rendered.append(number)
        return type("Done", (), {"result": staticmethod(lambda: files)})


@pytest.fixture
def pool(studio, monkeypatch):
    pool = Pool(studio)
    monkeypatch.setattr(production, "_pool", lambda settings, workers: pool)
    monkeypatch.setattr(production, "PER_SHARD", 2)
    return pool


def test_a_run_goes_on_where_the_last_one_ended(studio, pool, tmp_path):
    assert list(production.produce(studio.settings, 4, tmp_path, 1))[-1] == 4
    (tmp_path / "shard-00001.tar").unlink()
    (tmp_path / ".shard-00001.tar.dead.part").write_bytes(b"half")
    pool.rendered.clear()
    assert list(production.produce(studio.settings, 5, tmp_path, 1)) == [2, 3, 4, 5]
    assert pool.rendered == [2, 3, 4]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "settings.json", "shard-00000.tar", "shard-00001.tar", "shard-00002-1.tar",
    ]  # fmt: skip


def test_a_longer_run_replaces_a_short_shard(studio, pool, tmp_path):
    list(production.produce(studio.settings, 3, tmp_path, 1))
    list(production.produce(studio.settings, 4, tmp_path, 1))
    assert [key for key, _ in read_shards(tmp_path)] == [f"{n:08d}" for n in range(4)]
    pool.rendered.clear()
    assert list(production.produce(studio.settings, 3, tmp_path, 1)) == [3]
    assert pool.rendered == []


def test_other_settings_are_refused(studio, pool, tmp_path):
    list(production.produce(studio.settings, 2, tmp_path, 1))
    other = replace(studio.settings, seed=4)
    with pytest.raises(ValueError, match=r"seed was 3, got 4"):
        list(production.produce(other, 2, tmp_path, 1))


def test_settings_that_made_no_picture_bind_nobody(studio, pool, tmp_path, monkeypatch):
    def fail(*_):
        raise ValueError("no such device")

    with monkeypatch.context() as patch:
        patch.setattr(pool, "submit", fail)
        with pytest.raises(ValueError, match="no such device"):
            list(production.produce(replace(studio.settings, device="banana"), 2, tmp_path, 1))
    assert not list(tmp_path.iterdir())
    (tmp_path / "settings.json").write_text('{"seed": 3}')  # as earlier versions left it
    list(production.produce(replace(studio.settings, seed=4), 2, tmp_path, 1))
    with pytest.raises(ValueError, match=r"seed was 4, got 3"):
        list(production.produce(studio.settings, 2, tmp_path, 1))


def test_the_command_renders_and_shows(studio, pool, tmp_path):
    from bodypix_train.__main__ import app

    result = CliRunner().invoke(
        app, ["render", "--count", "3", "--out", str(tmp_path / "made"), "--side", "96"]
    )
    assert result.exit_code == 0, result.output
    with tarfile.open(tmp_path / "made" / "shard-00000.tar") as tar:
        assert len(tar.getnames()) == 12
    sheet = cv2.imread(str(tmp_path / "made" / "contact.jpg"))
    assert sheet is not None
    assert sheet.std() > 20


def test_backgrounds_without_pictures_are_named(studio, tmp_path):
    settings = replace(studio.settings, backgrounds=(tmp_path,))
    with pytest.raises(ValueError, match=r"no picture in"):
        list(production.produce(settings, 2, tmp_path / "out", 1))
