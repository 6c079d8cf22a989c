"""Pictures of the page for the README, taken of the running app."""

import shutil
from pathlib import Path

from clipdemo.commands.bench.page import BROWSER_FLAGS, BROWSERS, HOST, SCORED, running_app
from clipdemo.errors import ClipdemoError

SCENE = "beach"
SHOTS = {
    "screenshot.png": ("Compare", "light", 1280),
    "phone.png": ("Compare", "dark", 390),
    "inspect.png": ("Inspect", "light", 1280),
}


def take(folder: Path) -> list[Path]:
    """Write `SHOTS` into a folder: the board with a scene on it, and errors on drawn scenes.

    Raises:
        ClipdemoError: Playwright or a browser is missing.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise ClipdemoError(
            "Playwright is missing: `pip install -r requirements-dev.txt` brings it."
        ) from None
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with running_app("tiny") as (_, port), sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=BROWSER_FLAGS)
        except Error:
            raise ClipdemoError("There is no Chromium to take pictures with: install it.") from None
        for name, (tab, scheme, width) in SHOTS.items():
            page = browser.new_page(
                viewport={"width": width, "height": 860}, color_scheme=scheme, device_scale_factor=1
            )
            page.goto(f"http://{HOST}:{port}")
            page.click(f'#scenes button:has(img[alt^="Scene {SCENE}:"])', timeout=120_000)
            page.wait_for_selector(SCORED, timeout=120_000)
            if tab == "Inspect":
                page.get_by_role("tab", name=tab).click()
                page.click('#inspect tr[data-label="cat"] td[data-figure="missed"] button')
            page.mouse.move(0, 0)
            page.wait_for_timeout(3000)
            page.screenshot(path=folder / name, full_page=tab == "Compare")
        browser.close()
    return [folder / name for name in SHOTS]
