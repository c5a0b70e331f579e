"""Pictures from segmentations: masks, coloured parts, overlays, effects, skeletons, a legend.

Everything takes (H, W, 3) uint8 RGB images and segmentation results (or plain (H, W) arrays) and
returns new uint8 arrays. Left and right are the person's own; mirrored drawing renames nothing.

    model = bodypix.load()
    parts = model.segment_person_parts(image)
    colored = drawing.draw_mask(image, drawing.to_colored_part_mask(parts), 0.7)
    blurred = drawing.draw_bokeh_effect(image, parts, background_blur_amount=8)
"""

from __future__ import annotations

from bodypix.drawing.bokeh import blur_body_part, draw_bokeh_effect
from bodypix.drawing.colors import people_colors
from bodypix.drawing.legend import draw_legend
from bodypix.drawing.masks import to_mask
from bodypix.drawing.matting import foreground_colors
from bodypix.drawing.overlay import draw_mask
from bodypix.drawing.parts import to_colored_part_mask, to_colored_people_mask
from bodypix.drawing.pixelate import draw_pixelated_mask
from bodypix.drawing.refine import refine_alpha
from bodypix.drawing.replace import cutout, replace_background
from bodypix.drawing.skeleton import draw_keypoints, draw_poses, draw_skeleton

__all__ = [
    "blur_body_part",
    "cutout",
    "draw_bokeh_effect",
    "draw_keypoints",
    "draw_legend",
    "draw_mask",
    "draw_pixelated_mask",
    "draw_poses",
    "draw_skeleton",
    "foreground_colors",
    "people_colors",
    "refine_alpha",
    "replace_background",
    "to_colored_part_mask",
    "to_colored_people_mask",
    "to_mask",
]
