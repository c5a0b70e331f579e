"""The page of an evaluation: all tables, and the best, median and worst pictures to look at."""

from __future__ import annotations

import html
from pathlib import Path

import cv2

from bodypix.files import write_whole

from .evaluation import Evaluation
from .report_pictures import (
    Figure,
    clip_figures,
    garment_figures,
    mask_figures,
    part_figures,
    pose_figures,
)

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { padding: .25rem .7rem; text-align: right }
th { border-bottom: 1px solid #999 } td:first-child, th:first-child { text-align: left }
figure { margin: 1rem 0 } figcaption { color: #555 } img { max-width: 100% }
"""
MASKS = (
    "The photo, then each model's answer: green is right, orange is missed, red is falsely marked."
)
PARTS = "The picture, its true parts, then each model's."
GARMENTS = "The photo, then each model's parts; black where one does not fit the drawn garment."
POSES = "The picture with its labelled keypoints, then with each model's poses."
CLIPS = "Eight frames: single frames' masks above, smoothed below; red changed without cause."


def write_report(folder: Path, evaluation: Evaluation) -> Path:
    """Write ``folder/index.html`` and its pictures; the first model decides which are shown.

    ``tables.md`` beside it holds the tables alone.

    The pictures are those of the evaluation sets: the page is for looking, not for publishing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = "\n\n".join(table.markdown() for table in evaluation.tables()) + "\n"
    write_whole(folder / "tables.md", lambda file: file.write(tables.encode()))
    settings = evaluation.settings
    body = [
        "<h1>Accuracy</h1>",
        f"<p>internal resolution {settings.internal_resolution}, threshold {settings.threshold}",
        *(table.html() for table in evaluation.tables()),
    ]
    for title, note, figures in (
        ("Masks", MASKS, mask_figures(evaluation)),
        ("Parts", PARTS, part_figures(evaluation)),
        ("Garments", GARMENTS, garment_figures(evaluation)),
        ("Poses", POSES, pose_figures(evaluation)),
        ("Flicker", CLIPS, clip_figures(evaluation)),
    ):
        written = [_write(folder, figure) for figure in figures]
        if written:
            body += [f"<h2>{title}</h2><p>{html.escape(note)}</p>", *written]
    text = f"<!doctype html><meta charset=utf-8><title>Accuracy</title><style>{STYLE}</style>"
    page = folder / "index.html"
    write_whole(page, lambda file: file.write((text + "\n".join(body)).encode()))
    return page


def _write(folder: Path, figure: Figure) -> str:
    """Write the picture; returns its HTML."""
    pixels = cv2.cvtColor(figure.image, cv2.COLOR_RGB2BGR)
    content = cv2.imencode(".jpg", pixels)[1].tobytes()
    write_whole(folder / figure.file, lambda file: file.write(content))
    return (
        f'<figure><img src="{html.escape(figure.file)}" alt="">'
        f"<figcaption>{html.escape(figure.caption)}</figcaption></figure>"
    )
