#!/bin/sh
# A browser for the tests: one that is there, else Playwright's, else the system's package.
# Without any of them the browser tests say why they are skipped.
found() {
    command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
        command -v google-chrome >/dev/null 2>&1 || ls "$HOME"/.cache/ms-playwright/chromium* >/dev/null 2>&1
}
found && exit 0
timeout 300 .venv/bin/python -m playwright install --with-deps chromium >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
fi
found || echo "No browser could be installed: install Chromium to run the browser tests."
