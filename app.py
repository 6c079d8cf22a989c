"""The page, on this machine or as a Hugging Face Space."""

import sys

from clipdemo.commands.serve import start_page


def main() -> None:
    """Start it with the flags of the command line."""
    start_page(sys.argv[1:])


if __name__ == "__main__":
    main()
