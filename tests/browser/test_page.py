"""The page itself: what it says, on every screen, for every way of using it."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.demo_page import Demo


def test_it_says_that_nothing_is_uploaded(demo: Demo) -> None:
    assert demo.page.get_by_text("Nothing is uploaded.").is_visible()


def test_it_may_use_threads(demo: Demo) -> None:
    assert demo.page.evaluate("crossOriginIsolated") is True


def test_nothing_is_sent(demo: Demo, photo: Path) -> None:
    """Requests go to the page's own server, which `demo` watches, and only ask for files."""
    methods: list[str] = []
    demo.page.on("request", lambda asked: methods.append(asked.method))
    demo.open(photo)
    demo.start_camera()
    demo.painted(3)
    assert set(methods) <= {"GET"}


def test_every_control_has_a_name(demo: Demo) -> None:
    nameless = demo.page.evaluate(
        """() => [...document.querySelectorAll('button, input:not([hidden]), select')]
            .filter((field) => !(field.labels?.[0]?.textContent.trim()
                || field.getAttribute('aria-label') || field.textContent.trim()))
            .map((field) => field.outerHTML)"""
    )
    assert nameless == []


def test_effects_are_chosen_with_the_keyboard(demo: Demo) -> None:
    page = demo.page
    page.keyboard.press("Escape")
    page.focus("input[name=effect]:checked")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.querySelector('input[name=effect]:checked').value") == "pose"
    assert page.get_by_role("radio", name="Pose").is_checked()
    page.get_by_text("Quality").click()
    slider = page.get_by_role("slider", name="Threshold")
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "75 %"


def test_only_what_matters_to_the_effect_is_shown(demo: Demo) -> None:
    page = demo.page
    demo.set("effect", "bokeh")
    assert page.is_visible("input[name=backgroundBlur]")
    assert page.is_hidden("select[name=colorScale]")
    assert page.is_hidden("#legend")
    demo.set("effect", "parts")
    assert page.is_hidden("input[name=backgroundBlur]")
    assert page.locator("#legend svg:visible").count() == 24
    demo.set("effect", "face")
    assert page.locator("#legend input:visible").count() == 24


@pytest.mark.parametrize(
    ("width", "height"), [(360, 640), (390, 844), (844, 390), (820, 1180), (1280, 800)]
)
def test_it_fits_the_screen(demo: Demo, width: int, height: int) -> None:
    page = demo.page
    first = page.viewport_size
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("scrollTo(0, 0)")
    try:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        box = page.locator("#view").bounding_box()
        assert box["width"] >= 0.4 * min(width, height)
        assert box["y"] + box["height"] <= height
        for button in page.locator(".tools button:visible, .tile").all():
            size = button.bounding_box()
            assert min(size["width"], size["height"]) >= 44
            assert size["x"] >= 0
            assert size["x"] + size["width"] <= width
    finally:
        page.set_viewport_size(first)
