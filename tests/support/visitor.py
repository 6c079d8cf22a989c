"""A visitor's browser. Its tab is handed on: a new one takes two seconds of processor time."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Error, Page

SIZE = {"width": 1280, "height": 900}


class Visitor:
    """What one test does in a browser in which nothing is stored.

    Attributes:
        failures: errors of the pages' scripts.
    """

    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._tab = context.pages[0] if context.pages else context.new_page()
        self._given = False
        self._handlers: list[tuple[str, Callable]] = []
        self.failures: list[str] = []
        self.on("weberror", lambda error: self.failures.append(str(error.error)))

    def new_page(self) -> Page:
        """An empty tab."""
        if self._given:
            return self._context.new_page()
        self._given = True
        return self._tab

    def on(self, event: str, handler: Callable) -> None:
        """Call the handler at an event in any tab."""
        self._context.on(event, handler)
        self._handlers.append((event, handler))

    def leave(self) -> None:
        """Forget everything, and leave an empty tab to the next visitor."""
        for page in self._context.pages:
            if page != self._tab:
                page.close()
        try:
            self._empty()
        except Error:  # the test has closed it, or it refuses to
            self._tab.close()
        for event, handler in self._handlers:
            self._context.remove_listener(event, handler)

    def _empty(self) -> None:
        self._context.set_offline(False)
        self._context.clear_permissions()
        self._context.unroute_all(behavior="ignoreErrors")
        self._tab.unroute_all(behavior="ignoreErrors")
        self._tab.goto("about:blank")
        self._tab.set_viewport_size(SIZE)
        self._tab.emulate_media(color_scheme="light")
        self._tab.mouse.move(0, 0)
        storage = self._context.new_cdp_session(self._tab)
        storage.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
        storage.detach()
        self._context.clear_cookies()
