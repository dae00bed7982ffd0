"""The page of an episode, driven in a real browser as a person drives it."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from agent.episode.page import write_page
from agent.episode.reader import Episode, read_episode
from agent.events import MissionStarted
from tests.episode.chromium import CHROMIUM, headless
from tests.episode.shown import (
    BLIND,
    DONE,
    HOSTILE,
    MARKS,
    SOUND_S,
    TICKS,
    frames,
    written,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

# Read from a copy: a canvas that is read again and again is drawn another way from then on.
PIXELS = """
const shown = document.querySelector(`canvas[data-camera=${arguments[0]}]`);
const copy = new OffscreenCanvas(shown.width, shown.height).getContext("2d");
copy.drawImage(shown, 0, 0);
return Array.from(copy.getImageData(0, 0, shown.width, shown.height).data);
"""


class Page:
    """A page that is open, and what a person would do with it and see of it."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def open(self, file: Path) -> None:
        self._driver.get(file.absolute().as_uri())
        self.settled()

    def script(self, code: str, *arguments: Any) -> Any:
        return self._driver.execute_script(code, *arguments)

    def press(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self._driver).send_keys(key).perform()
        self.settled()

    def click(self, selector: str) -> None:
        self._driver.find_element("css selector", selector).click()
        self.settled()

    def drag(self, selector: str, begin: float, end: float) -> None:
        """Drag from one share of an element's width, 0..1, to another."""
        element = self._driver.find_element("css selector", selector)
        width = element.size["width"]
        chain = ActionChains(self._driver)
        chain.move_to_element_with_offset(element, round(width * (begin - 0.5)), 0)
        chain.click_and_hold().move_by_offset(round(width * (end - begin)), 0).release().perform()
        self.settled()

    def settled(self) -> None:
        """Wait until the pictures are those of the tick."""
        self.wait(
            "return [...document.querySelectorAll('canvas')]"
            ".every(c => c.dataset.tick === document.body.dataset.tick)"
        )

    def wait(self, code: str, timeout_s: float = 20.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not self.script(code):
            assert time.monotonic() < deadline, f"It never came about: {code}"
            time.sleep(0.02)

    @property
    def tick(self) -> int:
        return int(self.script("return document.body.dataset.tick"))

    def text(self, selector: str) -> str:
        found = self.script("return document.querySelector(arguments[0])?.textContent", selector)
        assert isinstance(found, str), f"There is no {selector}."
        return found

    def texts(self, selector: str) -> list[str]:
        code = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)"
        found: list[str] = self.script(code, selector)
        return found

    def pixels(self, camera: str) -> list[int]:
        found: list[int] = self.script(PIXELS, camera)
        return found

    def screenshot(self) -> np.ndarray:
        picture = Image.open(io.BytesIO(self._driver.get_screenshot_as_png()))
        return np.array(picture.convert("RGB"))

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self._driver.get_log("browser")]


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    opened = headless()
    yield opened
    opened.quit()


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Episode:
    return written(tmp_path_factory.mktemp("episode"))


@pytest.fixture(scope="module")
def file(episode: Episode, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "page.html"
    write_page(episode, file, MARKS)
    return file


@pytest.fixture
def page(driver: Any, file: Path) -> Iterator[Page]:
    page = Page(driver)
    page.open(file)
    yield page
    assert page.complaints() == []


def _shows(page: Page, episode: Episode, tick: int) -> bool:
    """Return whether a tick is shown, and both cameras' pictures to the last bit."""
    logged = dict(frames(episode, tick))
    return page.tick == tick and all(page.pixels(name) == logged[name] for name in logged)


def test_it_opens_on_the_first_tick_with_all_panels(page: Page, episode: Episode) -> None:
    assert _shows(page, episode, 0)
    assert page.text("#outcome") == "stopped"
    assert "40 ticks" in page.text("#facts") and "seed 3" in page.text("#facts")
    assert page.text("#clock") == "0.0 s · tick 0 of 39"
    assert not page.script("return document.getElementById('banner').checkVisibility()")
    rows = page.script("return document.querySelectorAll('#log > ol > li').length")
    assert rows == len(episode.decisions) + len(MARKS)
    plots = page.script("return [...document.querySelectorAll('.plot')].map(p => p.dataset.plot)")
    assert plots == [
        "subgoal heads 0..1",
        "strain widths",
        "spread of heads mm",
        "action mm",
        "action rad",
        "gripper 0..1",
    ]
    lanes = page.script(
        "return [...document.querySelectorAll('.lane .gutter')].map(l => l.innerText)"
    )
    assert lanes == ["subgoals", "verdicts", "differences", "planner", "speech", "stops and wishes"]


def test_the_screenshot_is_not_empty_and_all_is_in_view(page: Page) -> None:
    shot = page.screenshot()
    assert len(np.unique(shot @ np.array([1 << 16, 1 << 8, 1]))) > 500
    box = page.script("return document.querySelector('canvas').getBoundingClientRect().toJSON()")
    assert box["width"] > 300 and box["bottom"] < shot.shape[0]
    height = page.script("return document.documentElement.scrollHeight")
    width = page.script("return document.documentElement.scrollWidth")
    assert width <= shot.shape[1] and height <= shot.shape[0]


def test_keys_step(page: Page, episode: Episode) -> None:
    page.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert _shows(page, episode, 3)
    page.press(Keys.ARROW_LEFT)
    assert _shows(page, episode, 2)
    page.press(Keys.END)
    assert _shows(page, episode, TICKS - 1)
    page.press(Keys.ARROW_RIGHT)
    assert page.tick == TICKS - 1
    page.press(Keys.HOME)
    assert page.tick == 0


def test_buttons_step_and_leave_the_space_bar_alone(page: Page, episode: Episode) -> None:
    page.click("#on")
    page.click("#on")
    page.click("#back")
    assert _shows(page, episode, 1)
    page.press(" ")
    page.wait("return Number(document.body.dataset.tick) > 1")
    page.press(" ")


def test_a_focused_button_is_pressed_by_the_space_bar_and_nothing_else(page: Page) -> None:
    page.script("document.getElementById('next-verdict').focus()")
    page.press(" ")
    assert page.tick == 14
    assert page.text("#play") == "Play"


def test_it_seeks_by_dragging_on_the_time_line_and_by_the_slider(
    page: Page, episode: Episode
) -> None:
    page.drag(".plot .track", 0.1, 0.54)
    assert _shows(page, episode, 21)
    page.script("document.getElementById('seek').focus()")
    page.press(Keys.ARROW_RIGHT)
    assert page.tick == 22
    page.press(*[Keys.ARROW_LEFT] * 17)
    assert _shows(page, episode, 5)


def test_it_jumps_to_verdicts_and_shows_their_evidence(page: Page, episode: Episode) -> None:
    page.press("v")
    assert _shows(page, episode, 14)
    row = page.text("#log li.here")
    assert "refuted: dropped 90 %" in row and "gripper0.98" in row
    page.press("v")
    assert _shows(page, episode, 29)
    assert f"{DONE.value}: {DONE.reason} 97 %" in page.text("#log li.here")
    page.press("v")
    assert page.tick == 29
    page.press("V")
    assert page.tick == 14


def test_it_jumps_to_differences_and_shows_both_sides(page: Page, episode: Episode) -> None:
    page.press("d")
    assert _shows(page, episode, 5)
    row = page.text("#log li.here")
    assert all(part in row for part in ("action differs", "0.0123", "0.0456", "other weights"))
    page.press("d")
    assert _shows(page, episode, 25)
    page.press("D")
    assert page.tick == 5


def test_a_click_on_an_event_or_a_bar_goes_there(page: Page, episode: Episode) -> None:
    page.click(".bar:nth-of-type(2)")
    assert _shows(page, episode, 15)
    page.click("#log li:has(b.refuted) summary")
    assert page.script("return document.querySelector('#log li.here details').open")


def test_the_plan_the_scene_and_the_numbers_are_those_of_the_tick(page: Page) -> None:
    page.press(Keys.ARROW_RIGHT)
    assert page.text("#plan li.current span") == f"pick up {HOSTILE}"
    assert page.text("#plan li.current em") == "now"
    names = page.script(
        "return [...document.querySelectorAll('#scene text')].map(t => t.textContent)"
    )
    assert names == ["red block", HOSTILE]
    page.press(*[Keys.ARROW_RIGHT] * 30)
    assert page.text("#plan li.current span") == "put it on the left"
    assert "done" in page.text("#plan li:first-child em")
    assert page.text("#scene text") == "red block in the hand"
    readouts = (
        "return [...document.querySelectorAll('.plot:nth-of-type(3) .key')].map(k => k.textContent)"
    )
    assert page.script(readouts)[:2] == ["progress", "success"]
    assert page.text(".plot output") == "0.07"


def test_a_missing_picture_and_no_number_are_shown_as_such(page: Page) -> None:
    page.press(*[Keys.ARROW_RIGHT] * BLIND)
    assert page.tick == BLIND
    assert page.text(".camera:nth-of-type(2) figcaption span + span") == "no picture at this tick"
    assert not any(page.pixels("wrist"))
    assert "nan → \u2013" in page.text("[data-plot='action mm'] .legend")


def test_it_plays_in_real_time_and_stops_at_the_end(page: Page) -> None:
    began = time.monotonic()
    page.press(" ")
    page.wait("return Number(document.body.dataset.tick) >= 8")
    shown, passed_s = page.tick, time.monotonic() - began
    assert shown / 10 <= passed_s + 0.1
    page.press(" ")
    assert page.text("#play") == "Play"
    held = page.tick
    time.sleep(0.3)
    assert page.tick == held
    page.press(Keys.END, Keys.ARROW_LEFT, Keys.ARROW_LEFT, " ")
    page.wait("return document.getElementById('play').textContent === 'Play'")
    assert page.tick == TICKS - 1


def test_what_a_model_was_asked_and_what_was_heard_unfold(page: Page) -> None:
    page.click("#log li:has(b.model) summary")
    assert page.texts("#log .turn pre") == ["You plan.", HOSTILE, HOSTILE]
    assert not page.script("return document.querySelector('#log .turn pre').checkVisibility()")
    page.click("#log li:has(b.speech) summary")
    page.script("document.querySelector('audio').load()")
    page.script("document.querySelector('audio').preload = 'auto'")
    page.wait("return document.querySelector('audio').duration > 0")
    assert page.script("return document.querySelector('audio').duration") == pytest.approx(SOUND_S)


def test_hostile_words_do_nothing(page: Page) -> None:
    assert page.text("h1") == HOSTILE
    page.script("document.querySelectorAll('#log summary').forEach(s => s.click())")
    page.settled()
    assert page.text("#says") == HOSTILE
    assert page.script("return typeof hacked") == "undefined"
    assert page.script("return document.querySelectorAll('img, script:not([type])').length") == 1


def test_it_zooms_in_time(page: Page) -> None:
    wide = "return document.getElementById('tracks').clientWidth"
    before = page.script(wide)
    page.press("+", "+")
    assert page.script(wide) == pytest.approx(4 * before, abs=4)
    page.press(Keys.END)
    assert page.script(
        "const c = document.querySelector('#cursor i').getBoundingClientRect().x,"
        " t = document.getElementById('time').getBoundingClientRect();"
        "return c > t.left && c < t.right"
    )
    page.press("-", "-", "-")
    assert page.script(wide) == before


def test_a_cut_episode_shows_what_is_there_and_says_what_is_lost(
    driver: Any, episode: Episode, tmp_path: Path
) -> None:
    whole = episode.path.read_bytes()
    cut = tmp_path / "episode.mcap"
    cut.write_bytes(whole[: len(whole) // 2])
    left = read_episode(cut)
    assert 0 < left.tick_count < TICKS
    write_page(left, tmp_path / "page.html")
    page = Page(driver)
    page.open(tmp_path / "page.html")
    assert page.text("#banner") == left.loss
    assert page.script("return document.getElementById('banner').checkVisibility()")
    assert page.text("#outcome") == "unfinished"
    page.press(Keys.END)
    assert _shows(page, left, left.tick_count - 1)
    assert page.script("return document.querySelectorAll('.bar.unfinished').length") == 1
    assert page.complaints() == []


@pytest.mark.parametrize("told", [[], [MissionStarted(0.0, "do it", {})]])
def test_an_episode_without_a_tick_opens(driver: Any, tmp_path: Path, told: list[Any]) -> None:
    write_page(written(tmp_path / "episode", told), tmp_path / "page.html")
    page = Page(driver)
    page.open(tmp_path / "page.html")
    page.press(Keys.ARROW_RIGHT, "v", "d", " ", "+")
    assert page.tick == 0
    assert page.text("#clock") == "no ticks"
    assert page.complaints() == []
