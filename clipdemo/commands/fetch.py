"""The command `fetch`: download a backbone."""

from typing import Annotated

import typer

from clipdemo.commands.terminal import out, progress_bars


def fetch(
    backbone: Annotated[str, typer.Argument(metavar="ID", help="A backbone id.")],
) -> None:
    """Download a backbone to the Hugging Face cache; Ctrl-C stops it without partial files."""
    from clipdemo.hub.catalog import offer
    from clipdemo.hub.fetch import Fetch
    from clipdemo.hub.locate import locate_local

    state = locate_local(backbone)
    if state:
        out.print(f"{backbone} is here already: {state.state}.")
        return
    about = offer(backbone)
    if about:
        out.print(f"{backbone}: {about.note}. Licence of the weights: {about.licence}.")
    with progress_bars() as progress:
        fetching = Fetch(backbone).start()
        try:
            while not fetching.wait(0.2):
                progress(f"downloading {backbone}", fetching.done, fetching.total or None)
        finally:
            fetching.cancel()
    if fetching.error:
        raise fetching.error
    out.print(f"{backbone} is ready.")
