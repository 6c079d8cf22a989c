"""The page, on this machine or as a Hugging Face Space."""

import sys

from clipdemo.caches import settle_caches
from clipdemo.errors import ClipdemoError
from clipdemo.settings import Settings


def main() -> None:
    """Settings, caches, page, launch."""
    settings = Settings.read(sys.argv[1:])
    try:
        settle_caches(settings.cache)
        from clipdemo.ui.server import serve

        serve(settings)
    except ClipdemoError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
