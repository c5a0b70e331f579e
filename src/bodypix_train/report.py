"""The page of an evaluation: all tables, and the best, median and worst pictures to look at."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .evalsets import Pair, read_set
from .evaluate import CROWD, FRAMING, Mask, PictureScore, SetScore, by_group, outline

if TYPE_CHECKING:
    from bodypix import BodyPix

Image = NDArray[np.uint8]
ROWS = 3  # pictures of each kind: best, median, worst, falsely marked
SIDE = 320  # longest side of a picture on the page
MARKED, MISSED, FALSE = (60, 200, 120), (240, 170, 40), (230, 60, 90)
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .25rem .7rem; text-align: right }
th { border-bottom: 1px solid #999 } td:first-child, th:first-child { text-align: left }
figure { margin: 1rem 0 } figcaption { color: #555 } img { max-width: 100% }
"""


def write_report(
    folder: Path,
    models: dict[str, BodyPix],
    scores: dict[str, dict[str, SetScore]],
    root: Path,
    **options: Any,
) -> Path:
    """Write ``folder/index.html`` and its pictures; the first model decides which are shown.

    The pictures are those of the evaluation sets: the page is for looking, not for publishing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = next(iter(scores))
    body = ["<h1>Accuracy of person masks</h1>", f"<p>{options_line(options)}</p>"]
    body += ["<h2>Sets</h2>", html_table(scores)]
    for title, groups in (("Framing", FRAMING), ("How many people", CROWD)):
        dealt = {model: by_group(sets, groups) for model, sets in scores.items()}
        if dealt[first]:
            body += [f"<h2>{title}</h2>", html_table(dealt)]
    body.append(
        "<h2>Pictures</h2><p>The photo, then each model's answer: green is right, orange is missed,"
        " red is falsely marked.</p>"
    )
    for name, score in scores[first].items():
        wanted = choose(score)
        body.append(f"<h3>{html.escape(name)}</h3>")
        for pair in read_set(root, name):
            for kind in wanted.get(pair.name, ()):
                file = f"{name}-{kind}-{Path(pair.name).stem}.jpg"
                captions = draw_row(folder / file, pair, models, scores, name, options)
                body.append(
                    f'<figure><img src="{html.escape(file)}" alt=""><figcaption>{kind}: '
                    f"{html.escape(captions)}</figcaption></figure>"
                )
    page = folder / "index.html"
    text = f"<!doctype html><meta charset=utf-8><title>Accuracy</title><style>{STYLE}</style>"
    part = page.with_suffix(".part")
    part.write_text(text + "\n".join(body))
    os.replace(part, page)
    return page


def options_line(options: dict[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in options.items())


def html_table(scores: dict[str, dict[str, SetScore]]) -> str:
    """A row for each set or group and model."""
    head = ("", "model", "pictures", "mean IoU", "pooled IoU", "outline F", "false area")
    rows = ["<tr>" + "".join(f"<th>{cell}" for cell in head)]
    for name in next(iter(scores.values())):
        for model, sets in scores.items():
            score = sets[name]
            false = "–" if score.false_area is None else f"{score.false_area:.2%}"
            cells = (
                name, model, str(score.pictures), f"{score.mean_iou:.3f}",
                f"{score.pooled_iou:.3f}", f"{score.boundary:.3f}", false,
            )  # fmt: skip
            rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}" for cell in cells))
    return f"<table>{''.join(rows)}</table>"


def choose(score: SetScore) -> dict[str, list[str]]:
    """Picture name -> why it is shown: best, median, worst, falsely marked."""
    ranked = sorted((s for s in score.scores if s.shown), key=lambda s: s.iou)
    empty = sorted((s for s in score.scores if s.share == 0), key=lambda s: -s.marked)
    middle = max(0, (len(ranked) - ROWS) // 2)
    kinds: list[tuple[str, list[PictureScore]]] = [
        ("best", ranked[-ROWS:]),
        ("median", ranked[middle : middle + ROWS]),
        ("worst", ranked[:ROWS]),
        ("nobody", [s for s in empty if s.marked > 0][:ROWS]),
    ]
    wanted: dict[str, list[str]] = {}
    for kind, members in kinds:
        for member in members:
            wanted.setdefault(member.name, []).append(kind)
    return wanted


def draw_row(
    path: Path,
    pair: Pair,
    models: dict[str, BodyPix],
    scores: dict[str, dict[str, SetScore]],
    name: str,
    options: dict[str, Any],
) -> str:
    """The photo and each model's answer side by side; returns a line with their scores."""
    tiles = [small(pair.image)]
    captions = [pair.name]
    for label, model in models.items():
        result = model.segment_person(
            pair.image,
            internal_resolution=options["internal_resolution"],
            segmentation_threshold=options["threshold"],
        )
        tiles.append(small(coloured(pair, result.mask.astype(bool))))
        score = next(s for s in scores[label][name].scores if s.name == pair.name)
        captions.append(
            f"{label} IoU {score.iou:.3f}" if score.share else f"{label} marks {score.marked:.1%}"
        )
    part = path.with_suffix(".part.jpg")
    cv2.imwrite(str(part), cv2.cvtColor(np.hstack(tiles), cv2.COLOR_RGB2BGR))
    os.replace(part, path)
    return ", ".join(captions)


def coloured(pair: Pair, answer: Mask) -> Image:
    """The photo in grey, with what is right, missed and falsely marked, and the true outline."""
    grey = cv2.cvtColor(cv2.cvtColor(pair.image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    out = grey.astype(np.float32)
    areas = ((answer & pair.person, MARKED), (~answer & pair.person, MISSED))
    for where, color in (*areas, (answer & ~pair.person, FALSE)):
        out[where] = 0.45 * out[where] + 0.55 * np.float32(color)
    out[outline(pair.person)] = 255
    return out.astype(np.uint8)


def small(image: Image) -> Image:
    scale = SIDE / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]
