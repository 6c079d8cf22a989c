"""The page, on this machine or as a Hugging Face Space."""

import sys

from clipdemo.errors import ClipdemoError
from clipdemo.settings import Settings


def main() -> None:
    """Settings, page, launch."""
    settings = Settings.read(sys.argv[1:])
    from clipdemo.ui.page import serve

    try:
        serve(settings)
    except ClipdemoError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
