"""The page in Chromium: the speed of its sliders, and whether they cause requests."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from clipdemo.errors import ClipdemoError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 120.0  # seconds
SCORED = '#board [data-score]:not([data-score=""])'
# One step: a new value, the page's own listeners, style and layout. A frame is painted between.
SLIDE = """async ([handle, view]) => {
  const slider = document.querySelector(handle);
  const board = document.querySelector(view);
  const times = [];
  for (let i = 0; i < 100; i++) {
    await new Promise(requestAnimationFrame);
    const begin = performance.now();
    slider.value = i / 99;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    board.getBoundingClientRect();
    times.push(performance.now() - begin);
  }
  return times;
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, else Playwright's.

    Raises:
        ClipdemoError: Playwright or a browser is missing.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise ClipdemoError(
            "Playwright is missing: run `pip install -r requirements-dev.txt`."
        ) from None
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        except Error:
            raise ClipdemoError("Chromium cannot be started: install it.") from None
        yield browser
        browser.close()


def open_scene(page: Page, url: str, scene: str = "") -> None:
    """Open the app and wait for the scores of an example scene, by default of the first one."""
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(url)
    page.click(f'#scenes button:has(img[alt^="Scene {scene}"])')
    page.wait_for_selector(SCORED, state="attached")  # rows that no mode predicts are hidden


def slide(url: str) -> dict:
    """Milliseconds per step of the threshold sliders, and requests meanwhile; None: no browser.

    First on the board, then on the Inspect tab, where a step changes every figure of every label.
    """
    try:
        with chromium() as browser:
            page = browser.new_page()
            traffic = Traffic(page)
            open_scene(page, url)
            page.wait_for_selector("#words .words button")  # requested once there are scores
            traffic.settle()
            before = traffic.asked
            board = page.evaluate(SLIDE, ["#threshold input[type=range]", "#board"])
            page.wait_for_timeout(500)
            asked = traffic.asked - before
            page.get_by_role("tab", name="Inspect").click()
            page.wait_for_selector("#inspect .card")
            table = page.evaluate(SLIDE, ["#inspect .controls input[type=range]", "#inspect"])
    except ClipdemoError:
        return dict.fromkeys(["threshold_step_ms", "threshold_requests", "inspect_step_ms"])
    return {
        "threshold_step_ms": median_and_p95(board),
        "inspect_step_ms": median_and_p95(table),
        "threshold_requests": asked,
    }


class Traffic:
    """The requests of a page.

    Attributes:
        asked: how many there were.
    """

    def __init__(self, page: Page) -> None:
        self.asked = 0
        self._page, self._pending = page, set()
        page.on("request", self._begin)
        page.on("requestfinished", self._end)
        page.on("requestfailed", self._end)

    def _begin(self, request: Request) -> None:
        self.asked += 1
        if "/heartbeat/" not in request.url:  # stays open as long as the page
            self._pending.add(request)

    def _end(self, request: Request) -> None:
        self._pending.discard(request)

    def settle(self) -> None:
        """Wait for a second without new or pending requests.

        The page requests scores, then word effects: while a busy server works on the former, there
        may be a second without new requests.
        """
        begin, before = time.monotonic(), -1
        while self._pending or self.asked != before:
            if time.monotonic() > begin + PATIENCE:
                raise ClipdemoError("The page does not come to rest: try again.")
            before = self.asked
            self._page.wait_for_timeout(1000)


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def median_and_p95(times: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    return {"median": round(statistics.median(times), 2), "p95": round(p95(times), 2)}
