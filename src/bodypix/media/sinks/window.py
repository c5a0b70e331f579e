"""A preview window, made with tkinter, since headless OpenCV has no windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from bodypix.errors import MissingExtraError, OutputError
from bodypix.media.frames import Frame
from bodypix.media.sinks.base import BaseSink

if TYPE_CHECKING:
    import tkinter

# Room that is left around the largest window, as a share of the screen.
_SHARE_OF_SCREEN: Final = 0.9


class WindowSink(BaseSink):
    """Frames shown at once, made smaller where they do not fit the screen.

    Make it, write to it and close it in the main thread, as most systems ask of windows.

    Args:
        size: (width, height) of the frames.
        title: what the window is called.

    Attributes:
        closed_by_user: true once the window was closed; further frames are shown nowhere.

    Raises:
        MissingExtraError: this Python has no tkinter.
        OutputError: there is no screen.
    """

    def __init__(self, *, size: tuple[int, int], title: str = "bodypix") -> None:
        super().__init__("window", size=size)
        try:
            import tkinter
        except ImportError as error:
            raise MissingExtraError(
                "A preview window needs tkinter, which this Python lacks. Debian and Ubuntu: "
                "`sudo apt install python3-tk`. Homebrew: `brew install python-tk`."
            ) from error
        try:
            self._root = tkinter.Tk(className="bodypix")
        except tkinter.TclError as error:
            raise OutputError(
                f"sink: no window can be opened ({error}). Is there a screen?"
            ) from error
        self._error: Final[type[Exception]] = tkinter.TclError
        self.closed_by_user = False
        self._keys: list[str] = []
        self._root.title(title)
        self._root.resizable(False, False)
        room = (self._root.winfo_screenwidth(), self._root.winfo_screenheight())
        fits = (_SHARE_OF_SCREEN * most / asked for most, asked in zip(room, size, strict=True))
        self._scale: Final = min(1.0, *fits)
        self._image: tkinter.PhotoImage = tkinter.PhotoImage(
            master=self._root,
            width=max(1, round(size[0] * self._scale)),
            height=max(1, round(size[1] * self._scale)),
        )
        tkinter.Label(self._root, image=self._image, borderwidth=0).pack()
        self._root.bind("<Key>", self._on_key)
        self._root.protocol("WM_DELETE_WINDOW", self._on_close)
        self._root.update()

    def pressed_keys(self) -> list[str]:
        """Keys pressed since the last call: a character ("q"), or a name ("Escape", "Left")."""
        self._refresh()
        keys, self._keys = self._keys, []
        return keys

    def _put(self, frame: Frame) -> None:
        if self.closed_by_user:
            return
        image = frame.image
        if self._scale < 1:
            shown = (self._image.width(), self._image.height())
            image = np.asarray(cv2.resize(image, shown, interpolation=cv2.INTER_AREA), np.uint8)
        header = b"P6 %d %d 255 " % (image.shape[1], image.shape[0])
        try:
            self._image.configure(data=header + image.tobytes(), format="PPM")
        except self._error as error:
            raise OutputError(f"sink: the window is gone ({error}).") from error
        self._refresh()

    def _refresh(self) -> None:
        """Let the system draw, and take its events."""
        if self.closed_by_user or self._state == "closed":
            return
        try:
            self._root.update()
        except self._error as error:
            raise OutputError(f"sink: the window is gone ({error}).") from error

    def _on_key(self, event: tkinter.Event[tkinter.Misc]) -> None:
        self._keys.append(event.char if event.char.isprintable() and event.char else event.keysym)

    def _on_close(self) -> None:
        self.closed_by_user = True
        self._root.destroy()

    def _finish(self) -> None:
        if not self.closed_by_user:
            self._root.destroy()

    def _discard(self) -> None:
        self._finish()
