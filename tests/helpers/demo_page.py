"""The demo page in a browser, and what one does with it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Everything that the page computes goes through here: the frame, what was found, what was drawn.
LISTEN = """
window.painted = [];
const pixelsOf = (source, width, height) => {
    const context = new OffscreenCanvas(width, height).getContext('2d');
    context.drawImage(source, 0, 0);
    return context.getImageData(0, 0, width, height).data;
};
window.encoded = (array) => {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    let answer = '';
    for (let at = 0; at < bytes.length; at += 32768) {
        answer += String.fromCharCode(...bytes.subarray(at, at + 32768));
    }
    return btoa(answer);
};
window.addEventListener('DOMContentLoaded', () => {
    const view = document.getElementById('view');
    window.wanted = 0;
    view.addEventListener('bodypix', ({ detail }) => {
        window.found = detail.segmentations.length;
        if (window.wanted === 0) return;
        window.wanted -= 1;
        const { width, height } = view;
        window.painted.push({
            width, height,
            frame: encoded(pixelsOf(detail.frame, width, height)),
            drawn: encoded(pixelsOf(view, width, height)),
            found: detail.segmentations.map(({ data }) => encoded(data)),
            parts: detail.segmentations.some(({ data }) => data instanceof Int32Array),
            poses: detail.poses,
            settings: detail.settings,
        });
    });
});
"""


SET = """([name, value]) => {
    const fields = [...document.getElementsByName(name)];
    const field = fields.find((one) => one.type !== 'radio' || one.value === value);
    if (field.type === 'radio') field.checked = true;
    else if (field.type === 'checkbox') field.checked = value;
    else field.value = String(value);
    field.dispatchEvent(new Event('input', { bubbles: true }));
}"""

WAIT_MS = 60_000


class Painted:
    """One picture that the page painted."""

    def __init__(self, told: dict[str, Any]) -> None:
        shape = (told["height"], told["width"])
        self.encoded_frame: str = told["frame"]
        """The frame as the page's ``painted`` holds it."""
        self.frame = _array(told["frame"], np.uint8).reshape(*shape, 4)[..., :3].copy()
        """(H, W, 3) uint8 RGB: as it came from the camera or the file."""
        self.drawn = _array(told["drawn"], np.uint8).reshape(*shape, 4)
        """(H, W, 4) uint8 RGBA: what the visitor sees."""
        kind = np.int32 if told["parts"] else np.uint8
        self.found = [_array(data, kind).reshape(shape) for data in told["found"]]
        """(H, W) masks or part maps: one, or one for each person."""
        self.poses = told["poses"]
        self.settings = told["settings"]


def _array(text: str, kind: Any) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(text), kind)


class Demo:
    """The page, and what one does with it."""

    def __init__(self, page: Any, address: str) -> None:
        """Load the page and wait for its example."""
        self.page = page
        self.wrong: list[str] = []
        """What should not happen: errors, warnings, requests to other servers."""
        page.set_default_timeout(WAIT_MS)
        page.on("console", self._told)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        own = (address, "blob:" + address, "data:")
        page.on(
            "request",
            lambda asked: None if asked.url.startswith(own) else self.wrong.append(asked.url),
        )
        page.add_init_script(LISTEN)
        page.goto(address)
        page.wait_for_function("() => window.found > 0")
        page.wait_for_selector("#busy", state="hidden")

    def _told(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)

    def reset(self) -> None:
        """First settings, no notice, a picture that is not mirrored; whatever is open stays."""
        page = self.page
        if page.is_visible("#notice"):
            page.click("#notice-close")
        page.click("#reset")
        for toggle in ("#compare", "#mirror"):
            if page.get_attribute(toggle, "aria-pressed") == "true":
                page.click(toggle)

    def painted(self, count: int = 1) -> list[Painted]:
        """The next pictures that are painted from now on."""
        page = self.page
        page.evaluate("count => { painted.length = 0; wanted = count; }", count)
        page.wait_for_function("count => painted.length >= count", arg=count)
        return [Painted(told) for told in page.evaluate("painted")]

    def choose(self, effect: str, **fields: str | float | bool) -> Painted:
        """Choose an effect and values of fields; answers the picture that shows them."""
        page = self.page
        page.evaluate("painted.length = 0; wanted = 1e9")
        page.check(f"input[name=effect][value={effect}]", force=True)
        for name, value in fields.items():
            self.set(name, value)
        wanted = json.dumps({"effect": effect, **fields})
        fits = f"""() => painted.findLast(({{ settings }}) => Object.entries({wanted}).every(
            ([name, value]) => settings[name] === value))"""
        told = page.wait_for_function(fits).json_value()
        page.evaluate("wanted = 0; painted.length = 0")
        return Painted(told)

    def set(self, name: str, value: str | float | bool) -> None:
        """Give a field of the panel a value, as a visitor does."""
        self.page.evaluate(SET, [name, value])

    def start_camera(self) -> None:
        """Start the camera and wait for its first picture."""
        page = self.page
        if page.get_attribute("#camera", "aria-pressed") == "true":
            return
        page.click("#camera")
        page.wait_for_selector("#camera[aria-pressed=true]")
        self.painted(2)  # the first may be the last of what was shown before

    def open(self, path: Path) -> None:
        """Open a photo or a video and wait for its first picture."""
        page = self.page
        page.set_input_files("#file", path)
        page.wait_for_function(
            "name => document.getElementById('status').textContent.startsWith(name)", arg=path.name
        )
        page.wait_for_selector("#busy", state="hidden")
