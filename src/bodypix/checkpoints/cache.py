"""The cache folder: downloads kept and checked, and their conversions to ONNX.

    web/<folder of a server>/     what was downloaded, and the ONNX file made from it
    local/                        conversions of tfjs models that lie on this machine
    checksums.json                what every file must be from its first use on

Downloads that differ from their checksum are an error; a conversion that does is made again.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from bodypix.checkpoints.cache_report import Progress, unusable
from bodypix.checkpoints.locks import locked
from bodypix.checkpoints.metadata import read_metadata
from bodypix.checkpoints.naming import naming
from bodypix.checkpoints.onnx_format import Model, read_model, write_model
from bodypix.checkpoints.pins import Pins, sha256_of
from bodypix.checkpoints.tfjs import CONVERTER_VERSION, convert_tfjs, read_file
from bodypix.checkpoints.tfjs_graph import MAX_JSON_BYTES, parse_graph
from bodypix.checkpoints.tfjs_weights import MAX_WEIGHT_BYTES, check_shard_name
from bodypix.errors import CheckpointError, ChecksumError, DownloadError, OfflineError
from bodypix.files import write_whole


class Cache:
    """One cache folder. `offline` forbids downloads; `progress` hears of them."""

    def __init__(self, folder: Path, *, offline: bool, progress: Progress | None) -> None:
        self.folder = folder
        self._offline = offline
        self._progress = progress
        self._pins = Pins(folder)

    def from_web(self, url: str, name: str | None = None, *, sha256: str | None = None) -> Path:
        """The ONNX file of the model at `url`, a tfjs JSON or (by its suffix) a bodypix ONNX.

        `name` goes into a converted model. `sha256` is what an ONNX file must be, where that is
        known beforehand; another file in the cache then makes way. Raises CheckpointError and its
        kinds: OfflineError, DownloadError, ChecksumError; CheckpointError itself for a file that
        is no BodyPix model and for a cache that cannot be written.
        """
        target = self.target(url)
        if self._intact(target, sha256):
            return target
        if self._offline and not target.parent.is_dir():
            raise self._offline_error(url)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # Another process may be at it: it fetches, this one waits and finds the result.
            with locked(target.parent / ".lock"):
                if not self._intact(target, sha256):
                    self._make(url, target, name, sha256)
        except CheckpointError:
            raise
        except OSError as error:
            raise unusable(self.folder, error) from error
        return target

    def from_file(self, json_path: Path) -> Path:
        """The ONNX file made of a tfjs model on this machine. Raises CheckpointError."""
        with naming(json_path):
            data = read_file(json_path, MAX_JSON_BYTES)
            digest = hashlib.sha256(data)
            for group in parse_graph(data).groups:
                for shard in group.paths:
                    digest.update(read_file(json_path.parent / shard, group.size_bytes))
        stem = f"{_slug(json_path.stem)}-{digest.hexdigest()[:16]}"
        target = self.folder / "local" / f"{stem}.v{CONVERTER_VERSION}.onnx"
        if not self._intact(target):
            with naming(json_path):
                model = convert_tfjs(json_path)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                self._pins.add(self._write(model, target))
            except CheckpointError:
                raise
            except OSError as error:
                raise unusable(self.folder, error) from error
        return target

    def target(self, url: str) -> Path:
        """Where the ONNX file of `url` lies, or would lie."""
        base, name = _split(url)
        folder = (
            self.folder / "web" / f"{_slug(base)}-{hashlib.sha256(base.encode()).hexdigest()[:8]}"
        )
        if name.endswith(".onnx"):
            return folder / name
        return folder / f"{name.removesuffix('.json')}.v{CONVERTER_VERSION}.onnx"

    def _make(self, url: str, target: Path, name: str | None, sha256: str | None) -> None:
        """Fetch what is missing of the model at `url`, and make `target` of it."""
        known = self._pins.read()
        if sha256 is not None:
            known[_public(url)] = sha256
            if not self._offline and target.is_file() and sha256_of(target) != sha256:
                target.unlink()
        new: dict[str, str] = {}
        unpinned: list[Path] = []

        def obtain(address: str, path: Path, limit: int) -> Path:
            key = _public(address)
            if key not in known:
                unpinned.append(path)
            since = "as on first use" if sha256 is None else "as released"
            new[key] = self._obtain(address, path, limit, known.get(key), since)
            return path

        file = target.parent / _split(url)[1]
        try:
            with naming(_public(url)):
                if file == target:
                    obtain(url, file, MAX_WEIGHT_BYTES)
                    read_metadata(read_model(file))
                    new[self._key(target)] = new[_public(url)]
                else:
                    obtain(url, file, MAX_JSON_BYTES)
                    for group in parse_graph(read_file(file, MAX_JSON_BYTES)).groups:
                        for shard in group.paths:
                            obtain(_beside(url, shard), target.parent / shard, group.size_bytes)
                    new |= self._write(convert_tfjs(file, name=name), target)
        except (DownloadError, ChecksumError):
            raise
        except CheckpointError:
            # No BodyPix model, or not all of it: pin nothing, and fetch it again next time.
            for path in unpinned:
                path.unlink(missing_ok=True)
            raise
        self._pins.add(new)

    def _obtain(self, url: str, path: Path, limit: int, pin: str | None, since: str) -> str:
        """See that `path` holds the file at `url`, and return its checksum.

        `pin` is what the checksum must be; `since` says when that was laid down.
        """
        missing = not path.exists()
        file = path.with_name(path.name + ".part") if missing else path
        if missing:
            if self._offline:
                raise self._offline_error(url)
            from bodypix.checkpoints.download import fetch  # urllib.request is slow to import

            path.parent.mkdir(parents=True, exist_ok=True)
            fetch(url, file, limit=limit, progress=self._progress)
        digest = sha256_of(file)
        if pin not in (None, digest):
            if missing:
                file.unlink()
                advice = (
                    "the server sends something else now: do not use it unless you know why; "
                    f"then delete the line of this address in {self._pins.path}"
                )
            else:
                advice = f"the file on disk was changed: delete {path} to fetch it again"
            raise ChecksumError(
                f"checksum of {_public(url)}: expected SHA-256 {pin} {since}, "
                f"got {digest}; {advice}"
            )
        if missing:
            file.replace(path)
        return digest

    def _write(self, model: Model, target: Path) -> dict[str, str]:
        data = write_model(model)
        write_whole(target, lambda file: file.write(data))
        return {self._key(target): hashlib.sha256(data).hexdigest()}

    def _intact(self, target: Path, sha256: str | None = None) -> bool:
        """Whether `target` is as it was pinned, or is the file of checksum `sha256`."""
        try:
            return target.is_file() and (
                sha256 or self._pins.read().get(self._key(target))
            ) == sha256_of(target)
        except OSError:
            return False

    def _key(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _offline_error(self, url: str) -> OfflineError:
        return OfflineError(
            f"offline: expected {_public(url)} in the cache {self.folder}, got nothing there; "
            "fetch it once with `bodypix models download`, or unset offline and BODYPIX_OFFLINE"
        )


def _public(url: str) -> str:
    """The address without query and password: a signed URL is another one every time."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _split(url: str) -> tuple[str, str]:
    """The folder of an address and the name that its file gets here."""
    base, _, name = _public(url).rpartition("/")
    name = unquote(name)
    try:
        check_shard_name(name)
    except CheckpointError:
        name = "model.json"
    return base, name


def _beside(url: str, shard: str) -> str:
    """The address of a shard: relative to the JSON, with the JSON's query (as tfjs does)."""
    parts = urlsplit(url)
    path = parts.path.rpartition("/")[0] + "/" + quote(shard)
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def _slug(text: str) -> str:
    """The end of an address as a readable part of a file name."""
    pieces = re.findall(r"[a-z0-9]+", text.lower())
    return "-".join(pieces)[-40:].strip("-") or "model"
