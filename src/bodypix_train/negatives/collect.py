"""Make the pictures that a list such as `release/bodypix-mobilenet-050/negatives.tsv` names.

The list is tab-separated: package, version, file in the package, licence, kind ("images" or
"objects"), and how many pictures are made of the file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from bodypix.files import write_whole

from .archives import members
from .views import decode, photos, thing

COLUMNS = (
    "package", "version", "file in the package", "licence", "kind", "pictures made of it",
)  # fmt: skip
NPM = "npm "
QUALITY = 90  # of JPEG


@dataclass(frozen=True)
class Entry:
    """A file of a package; ``wanted`` is the name by which `archives.members` has it."""

    package: str  # as its file is called
    archive: str  # name of the package's file, with * for what may be anything
    file: str
    wanted: str
    objects: bool
    count: int

    def pictures(self, out: Path) -> list[Path]:
        """Where its pictures go."""
        stem = re.sub(r"[^\w.@-]+", "_", f"{self.package}_{self.file}")
        if self.objects:
            return [out / "objects" / f"{stem}.png"]
        return [out / "images" / f"{stem}_{number}.jpg" for number in range(self.count)]


def read_list(path: Path) -> list[Entry]:
    """Raises ValueError, naming line and field, for what is no such list."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise ValueError(
                f"{path}: expected the columns {', '.join(COLUMNS)}, "
                f"got {', '.join(rows.fieldnames or ['nothing'])}"
            )
        return [_entry(row, f"{path}: line {rows.line_num}") for row in rows]


def _entry(row: dict[str, str], where: str) -> Entry:
    package, version, file, _, kind, count = (row[column] or "" for column in COLUMNS)
    if kind not in ("images", "objects"):
        raise ValueError(f"{where}: kind: expected images or objects, got {kind!r}")
    if not count.isdigit() or int(count) < 1:
        raise ValueError(f"{where}: pictures made of it: expected a number from 1, got {count!r}")
    if version.startswith(NPM):
        name, _, number = version.removeprefix(NPM).removeprefix("@").partition(" ")
        name = name.replace("/", "-")
        archive = f"{name}-{number}.tgz"
    else:
        # A suite may stand behind the name, a library of the package, too.
        name = package.partition("@")[0].partition("_")[0]
        archive = f"{name}_{version.split(':')[-1]}_*.deb"
    library, found, thing_name = file.partition(".sh3f: ")
    # Things go by the number at the end of their names; "_v0" are drawings of models, not icons.
    wanted = f"{library}.sh3f: {thing_name.rpartition('_')[2]}" if found else file
    return Entry(name, archive, file, wanted, kind == "objects", int(count))


def collect(entries: list[Entry], packages: Path, out: Path) -> Iterator[tuple[str, int, int]]:
    """Make the pictures that are not there yet; yields (package, files used, files left out).

    The package goes by `Entry.archive`. One that does not lie in the folder ``packages`` has no
    file used but those of earlier calls.
    """
    for kind in ("images", "objects"):
        (out / kind).mkdir(parents=True, exist_ok=True)
    for archive in dict.fromkeys(entry.archive for entry in entries):
        own = [entry for entry in entries if entry.archive == archive]
        left = [e for e in own if not all(path.exists() for path in e.pictures(out))]
        found = next(iter(sorted(packages.glob(archive))), None)
        made = len(own) - len(left)
        if found is not None and left:
            wanted = {entry.wanted: entry for entry in left}
            for name, content in members(found):
                if name in wanted:
                    made += _make(wanted.pop(name), name, content, out)
        yield archive, made, len(own) - made


def _make(entry: Entry, name: str, content: bytes, out: Path) -> bool:
    """Whether the file could be used."""
    image = decode(name, content)
    if image is None:
        return False
    made = [thing(image)] if entry.objects else photos(image, entry.count)
    for path, picture in zip(entry.pictures(out), made, strict=True):
        if picture is None:
            return False
        options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY] if path.suffix == ".jpg" else []
        data = cv2.imencode(path.suffix, picture, options)[1].tobytes()
        write_whole(path, lambda file, data=data: file.write(data))  # type: ignore[misc]
    return True
