"""The command `screenshots`: the README's screenshots of the running app."""

from pathlib import Path
from typing import Annotated

import typer

from clipdemo.commands.terminal import out

SHOTS = {
    "screenshot.png": ("Compare", "light", 1280),
    "phone.png": ("Compare", "dark", 390),
    "inspect.png": ("Inspect", "light", 1280),
}
"""Per file: tab, colour scheme, width in pixels."""


def screenshots(
    output: Annotated[Path, typer.Option("--out", help="Folder.")] = Path("assets"),
) -> None:
    """Take the README's screenshots again: a scene, and errors on drawn scenes."""
    from clipdemo.commands.bench.browser import chromium, open_scene
    from clipdemo.commands.bench.page import running_app

    with running_app("tiny") as (_, url), chromium() as browser:
        for name, (tab, scheme, width) in SHOTS.items():
            page = browser.new_page(
                viewport={"width": width, "height": 860}, color_scheme=scheme, device_scale_factor=1
            )
            open_scene(page, url, "crossing")
            if tab == "Inspect":
                page.get_by_role("tab", name=tab).click()
                page.click('#inspect tr[data-label="cat"] td[data-figure="missed"] button')
            page.mouse.move(0, 0)
            page.wait_for_timeout(3000)
            page.screenshot(path=output / name, full_page=tab == "Compare")
    out.print(f"taken: {', '.join(str(output / name) for name in SHOTS)}")
