"""Downloads, the cache and its checksums, against a web server on this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bodypix.checkpoints import cache as cache_module
from bodypix.checkpoints import download, store
from bodypix.checkpoints.catalogue import published
from bodypix.checkpoints.metadata import read_metadata
from bodypix.checkpoints.onnx_format import read_model
from bodypix.checkpoints.options import LoadOptions
from bodypix.errors import (
    CheckpointError,
    ChecksumError,
    DownloadError,
    OfflineError,
)
from helpers.published import OPTIONS, PUBLISHED_PATH, resolve
from helpers.web import Web


def names(web: Web) -> list[str]:
    return [path.rpartition("/")[2] for path, _ in web.requests]


def test_download_convert_and_cache(web: Web, cache: Path) -> None:
    heard: list[tuple[str, int, int | None]] = []
    path = resolve(web, cache, progress=lambda *report: heard.append(report))
    facts = read_metadata(read_model(path))
    assert (facts.name, facts.output_stride) == ("mobilenet-050-stride16", 16)
    files = ["model-stride16.json", "group1-shard1of2.bin", "group1-shard2of2.bin"]
    assert names(web) == files
    for name in files:
        size = (web.folder / PUBLISHED_PATH / name).stat().st_size
        reports = [report for report in heard if report[0] == name]
        assert reports[0] == (name, 0, size)
        assert reports[-1] == (name, size, size)
    assert path.is_relative_to(cache)
    assert not list(cache.rglob("*.part*"))

    assert resolve(web, cache) == path
    assert resolve(web, cache, offline=True) == path
    assert (
        store.resolve_name(
            "mobilenet-050-stride16", cache_dir=cache, base_url=web.url, offline=True
        )
        == path
    )
    assert len(web.requests) == 3
    assert (
        store.cached(published("mobilenet-050-stride16"), cache_dir=cache, base_url=web.url) == path
    )
    assert store.cached(published("resnet50-stride16"), cache_dir=cache, base_url=web.url) is None


def test_strides_share_their_shards(web: Web, cache: Path) -> None:
    resolve(web, cache)
    resolve(web, cache, LoadOptions(multiplier=0.5, output_stride=8))
    assert names(web)[3:] == ["model-stride8.json"]


def test_the_base_url_can_come_from_the_environment(
    web: Web, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BODYPIX_BASE_URL", web.url + "/")
    monkeypatch.setenv("BODYPIX_CACHE", str(cache))
    monkeypatch.setenv("BODYPIX_OFFLINE", "0")
    assert store.resolve(OPTIONS).is_relative_to(cache)


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_offline(web: Web, cache: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("BODYPIX_OFFLINE", value)
    with pytest.raises(OfflineError, match=r"model-stride16\.json in the cache .*BODYPIX_OFFLINE"):
        resolve(web, cache, offline=None)
    assert not web.requests
    assert not cache.exists()


def test_offline_uses_what_is_there(web: Web, cache: Path) -> None:
    """The conversion is lost, the downloads are not."""
    path = resolve(web, cache)
    path.unlink()
    assert resolve(web, cache, offline=True) == path
    (path.parent / "group1-shard2of2.bin").unlink()
    path.unlink()
    with pytest.raises(OfflineError, match="group1-shard2of2"):
        resolve(web, cache, offline=True)


def test_a_broken_conversion_is_made_again(web: Web, cache: Path) -> None:
    path = resolve(web, cache)
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    assert resolve(web, cache) == path
    assert path.read_bytes() == whole
    assert len(web.requests) == 3


def test_a_changed_file_on_disk_is_an_error(web: Web, cache: Path) -> None:
    path = resolve(web, cache)
    shard = path.parent / "group1-shard1of2.bin"
    shard.write_bytes(bytes(shard.stat().st_size))
    path.unlink()
    with pytest.raises(ChecksumError, match=r"changed: delete .*shard1of2\.bin"):
        resolve(web, cache)
    shard.unlink()
    assert resolve(web, cache) == path


def test_a_changed_file_on_the_server_is_an_error(web: Web, cache: Path) -> None:
    """Also when the cache was emptied: the checksum of the first use stays."""
    path = resolve(web, cache)
    shutil.rmtree(path.parent)
    shard = web.folder / PUBLISHED_PATH / "group1-shard1of2.bin"
    shard.write_bytes(bytes(shard.stat().st_size))
    with pytest.raises(ChecksumError, match="server sends something else now") as caught:
        resolve(web, cache)
    assert str(cache / "checksums.json") in str(caught.value)
    assert not list(path.parent.glob("group1-shard1of2*"))
    (cache / "checksums.json").unlink()
    assert resolve(web, cache) == path


def test_a_broken_list_of_checksums_is_an_error(web: Web, cache: Path) -> None:
    resolve(web, cache)
    for text in ("{", "[]", '{"a": 1}'):
        (cache / "checksums.json").write_text(text)
        with pytest.raises(CheckpointError, match=r"checksums\.json.*delete the file"):
            resolve(web, cache)


def test_a_broken_connection_is_resumed(web: Web, cache: Path) -> None:
    web.breaks, web.break_after = 2, 5000
    resolve(web, cache)
    assert web.requests[1][1] == "bytes=5000-"
    assert web.requests[2][1] == "bytes=10000-"


def test_what_arrived_is_kept_for_the_next_run(web: Web, cache: Path) -> None:
    web.breaks, web.break_after = download.ATTEMPTS, 1000
    with pytest.raises(DownloadError, match=r"stride16\.json: .*what has arrived is kept"):
        resolve(web, cache)
    (part,) = cache.rglob("*.part")
    assert part.stat().st_size == 1000 * download.ATTEMPTS
    resolve(web, cache)
    assert web.requests[download.ATTEMPTS][1] == f"bytes={1000 * download.ATTEMPTS}-"


@pytest.mark.parametrize("case", ["no ranges", "no etag", "weak etag", "new etag"])
def test_without_a_safe_way_to_resume_it_starts_over(web: Web, cache: Path, case: str) -> None:
    web.breaks, web.break_after = 1, 5000
    if case == "no ranges":
        web.ranges = False
    elif case != "new etag":
        web.etag = 'W/"one"' if case == "weak etag" else ""
    original = web.requests

    class Switching(list):  # type: ignore[type-arg]
        def append(self, item: object) -> None:
            super().append(item)
            if case == "new etag" and len(self) == 2:
                web.etag = '"two"'

    web.requests = Switching(original)
    path = resolve(web, cache)
    assert read_metadata(read_model(path)).output_stride == 16
    asked = "bytes=5000-" if case in ("no ranges", "new etag") else None
    assert web.requests[1][1] == asked


def test_a_server_that_says_no_length_is_fine(web: Web, cache: Path) -> None:
    web.length = False
    heard: list[int | None] = []
    resolve(web, cache, progress=lambda name, done, total: heard.append(total))
    assert set(heard) == {None}


def test_a_half_shard_without_a_length_is_refused_and_fetched_again(web: Web, cache: Path) -> None:
    web.length = False
    shard = web.folder / PUBLISHED_PATH / "group1-shard2of2.bin"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:100])
    with pytest.raises(CheckpointError, match=r"got \d+; the download is incomplete"):
        resolve(web, cache)
    shard.write_bytes(whole)
    resolve(web, cache)


def test_server_errors_are_tried_again(web: Web, cache: Path) -> None:
    web.statuses = [503, 429, 500]
    resolve(web, cache)
    assert len(web.requests) == 3 + 3


@pytest.mark.parametrize("status", [404, 403])
def test_refusals_are_not_tried_again(web: Web, cache: Path, status: int) -> None:
    web.statuses = [status] * 9
    with pytest.raises(DownloadError, match=f"got status {status}.*check the address"):
        resolve(web, cache)
    assert len(web.requests) == 1


def test_no_server_at_all(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_PAUSE_SECONDS", 0.001)
    with pytest.raises(DownloadError, match=r"refused.*check the connection"):
        store.resolve(OPTIONS, cache_dir=cache, offline=False, base_url="http://127.0.0.1:9")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x"])
def test_a_redirect_leads_to_the_web_only(web: Web, cache: Path, target: str) -> None:
    web.redirect = target
    with pytest.raises(DownloadError):
        resolve(web, cache)


def test_too_much_is_cut_off(web: Web, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_JSON_BYTES", 1000)
    for length in (True, False):
        web.length = length
        with pytest.raises(DownloadError, match="expected at most 1000 bytes"):
            resolve(web, cache)


def test_a_page_in_place_of_a_model_is_refused(web: Web, cache: Path) -> None:
    json_file = web.folder / PUBLISHED_PATH / "model-stride16.json"
    whole = json_file.read_bytes()
    json_file.write_text("<html>sign in to the hotel's network</html>")
    address = re.escape(f"/{PUBLISHED_PATH}/model-stride16.json")
    with pytest.raises(CheckpointError, match=rf"^model file http\S+{address}: expected the JSON"):
        resolve(web, cache)
    # It was not pinned, and the next attempt fetches the file again.
    json_file.write_bytes(whole)
    resolve(web, cache)


# The folder


def test_a_cache_that_is_a_file_is_an_error(web: Web, cache: Path) -> None:
    cache.write_text("not a folder")
    with pytest.raises(CheckpointError, match=r"expected a folder to write to.*BODYPIX_CACHE"):
        resolve(web, cache)
    local = LoadOptions(model_url=str(web.folder / PUBLISHED_PATH / "model-stride16.json"))
    with pytest.raises(CheckpointError, match=r"expected a folder to write to.*BODYPIX_CACHE"):
        resolve(web, cache, local)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom modes bind")
def test_a_read_only_cache_is_an_error_until_the_model_is_there(web: Web, cache: Path) -> None:
    cache.mkdir(mode=0o555)
    try:
        with pytest.raises(CheckpointError, match="expected a folder to write to"):
            resolve(web, cache)
        cache.chmod(0o755)
        path = resolve(web, cache)
        for folder in (cache, path.parent):
            folder.chmod(0o555)
        assert resolve(web, cache) == path
    finally:
        for folder in (cache, *cache.rglob("*")):
            if folder.is_dir():
                folder.chmod(0o755)


def test_a_cache_without_permission_still_gives_what_it_holds(
    web: Web, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = resolve(web, cache)

    def refuse(*args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(cache_module, "locked", refuse)
    assert resolve(web, cache) == path
    with pytest.raises(CheckpointError, match="Permission denied; set BODYPIX_CACHE"):
        resolve(web, cache, LoadOptions(multiplier=0.5, output_stride=8))


def test_a_full_disk_is_an_error(web: Web, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module, "write_whole", full)
    with pytest.raises(CheckpointError, match="No space left on device; set BODYPIX_CACHE"):
        resolve(web, cache)


@pytest.mark.parametrize(
    ("environment", "folder"),
    [
        ({"BODYPIX_CACHE": "/a/b"}, "/a/b"),
        ({"BODYPIX_CACHE": "", "XDG_CACHE_HOME": "/x"}, "/x/bodypix"),
        ({"BODYPIX_CACHE": "~/models", "HOME": "/home/me"}, "/home/me/models"),
        (
            {"BODYPIX_CACHE": "", "XDG_CACHE_HOME": "", "HOME": "/home/me"},
            "/home/me/.cache/bodypix",
        ),
    ],
)
def test_where_the_cache_is(
    environment: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    assert store.cache_folder() == Path(folder)
    assert store.cache_folder("mine") == Path("mine")


def test_processes_at_once_fetch_once(web: Web, cache: Path) -> None:
    code = """
import sys
from bodypix.checkpoints.options import LoadOptions
from bodypix.checkpoints.store import resolve
url, folder = sys.argv[1:]
print(resolve(LoadOptions(multiplier=0.5), cache_dir=folder, offline=False, base_url=url))
"""
    command = [sys.executable, "-c", code, web.url, str(cache)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {worker.communicate(timeout=120)[0] for worker in workers}
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert len(answers) == 1
    assert len(web.requests) == 3
