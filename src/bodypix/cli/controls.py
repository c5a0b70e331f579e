"""Keys that change a live film while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bodypix.media.effects import EFFECTS
from bodypix.media.filming import Film
from bodypix.temporal.smoothing import SmoothingOptions

HELP: Final = (
    "q quit, e next effect, m mirror the preview, space freeze, s smoothing, "
    "+ - threshold, [ ] blur, h this help"
)
"""What the keys do, in one line."""

_QUIT = ("q", "Q", "Escape")
_THRESHOLD_STEP = 0.05
_BLUR_FACTOR = 1.25
_BLUR_RANGE = (1.0, 100.0)


class Controls:
    """What a live film looks like now; `press` changes it.

    Written in one thread and read in others: every attribute is replaced as a whole.

    Args:
        film: how it begins.
        mirror: whether the preview is mirrored.
        blur: what `[` and `]` start from where the film leaves the blur open, in pixels.
    """

    def __init__(self, film: Film, *, mirror: bool, blur: float) -> None:
        self.film = film
        self.mirror = mirror
        self.frozen = False
        self.quit = False
        self._blur = film.look.blur or blur
        self._smoothing = film.smoothing or SmoothingOptions()
        # What is drawn at the start, every opaque effect alone, and nothing.
        alone = [(name,) for name, effect in EFFECTS.items() if not effect.alpha]
        self._cycle = list(dict.fromkeys([tuple(film.effects), *alone, ()]))
        self._keys: dict[str, Callable[[], str]] = {
            "e": self._next_effect,
            "m": self._mirror,
            " ": self._freeze,
            "s": self._smooth,
            "+": lambda: self._threshold(_THRESHOLD_STEP),
            "-": lambda: self._threshold(-_THRESHOLD_STEP),
            "]": lambda: self._change_blur(_BLUR_FACTOR),
            "[": lambda: self._change_blur(1 / _BLUR_FACTOR),
            "h": lambda: HELP,
        }

    def press(self, key: str) -> str | None:
        """Do what a key says; a line for the user, or None for a key without meaning."""
        if key in _QUIT:
            self.quit = True
            return "quit"
        action = self._keys.get(key.lower() if len(key) == 1 else key)
        return None if action is None else action()

    def _next_effect(self) -> str:
        place = self._cycle.index(tuple(self.film.effects))
        effects = self._cycle[(place + 1) % len(self._cycle)]
        self.film = replace(self.film, effects=effects)
        return f"effect: {' + '.join(effects) or 'none'}"

    def _mirror(self) -> str:
        self.mirror = not self.mirror
        return f"preview {'mirrored' if self.mirror else 'as others see it'}"

    def _freeze(self) -> str:
        self.frozen = not self.frozen
        return "frozen; space goes on" if self.frozen else "live"

    def _smooth(self) -> str:
        smoothing = None if self.film.smoothing else self._smoothing
        self.film = replace(self.film, smoothing=smoothing)
        return f"smoothing {'off' if smoothing is None else 'on'}"

    def _threshold(self, step: float) -> str:
        old = self.film.options.segmentation_threshold
        value = round(min(1.0, max(0.0, old + step)), 2)
        self.film = replace(
            self.film, options=replace(self.film.options, segmentation_threshold=value)
        )
        return f"threshold: {value:g}"

    def _change_blur(self, factor: float) -> str:
        low, high = _BLUR_RANGE
        self._blur = min(high, max(low, self._blur * factor))
        self.film = replace(self.film, look=replace(self.film.look, blur=self._blur))
        return f"blur: {self._blur:.1f} pixels"
