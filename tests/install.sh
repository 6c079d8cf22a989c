#!/bin/sh
# What the tests use beside Python's packages: a browser, nginx and exiftool. Each that is there is taken; else
# Playwright's browser, or the system's packages. The tests that lack one say why they are skipped. Chromium
# without a window's frame, where the system has it, takes a fifth less time.
PATH="$PATH:/usr/sbin"
browser() {
    command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
        command -v google-chrome >/dev/null 2>&1 || ls "$HOME"/.cache/ms-playwright/chromium* >/dev/null 2>&1
}
missing=
command -v nginx >/dev/null 2>&1 || missing="nginx-light"
command -v exiftool >/dev/null 2>&1 || missing="$missing libimage-exiftool-perl"
browser || timeout 300 .venv/bin/python -m playwright install --with-deps chromium >/dev/null 2>&1 ||
    missing="$missing chromium fonts-dejavu-core"
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
if [ "$(id -u)" = 0 ] && ! command -v chromium-headless-shell >/dev/null 2>&1; then
    apt-get install -y -qq --no-install-recommends chromium-headless-shell >/dev/null 2>&1
fi
browser || echo "No browser could be installed: install Chromium to run the browser tests."
command -v nginx >/dev/null 2>&1 || echo "No nginx could be installed: install it to run its tests."
command -v exiftool >/dev/null 2>&1 || echo "No exiftool could be installed: install it to run its test."
