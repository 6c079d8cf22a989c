"""The classifier, loaded behind the page."""

import threading

from clipdemo.checkpoints import Card
from clipdemo.errors import ClipdemoError
from clipdemo.settings import Settings


class BackgroundModel:
    """Loads in a thread of its own, so that the page answers before torch is even imported."""

    def __init__(self, settings: Settings, card: Card) -> None:
        self._settings = settings
        self._card = card
        self._done = threading.Event()
        self._classifier = None
        self._error: Exception | None = None

    def start(self) -> None:
        """Begin loading; returns at once."""
        threading.Thread(target=self._load, name="load-model", daemon=True).start()

    def _load(self) -> None:
        try:
            from clipdemo.classifier import load_card

            settings = self._settings
            self._classifier = load_card(self._card, settings.device, settings.backbone)
        except Exception as error:  # whoever waits in get() is told
            self._error = error
        finally:
            self._done.set()

    @property
    def backbone(self) -> str:
        """Id of the backbone it is, or will be."""
        return self._card.backbone

    @property
    def status(self) -> str:
        """`loading`, `ready` or `failed`; never waits."""
        if not self._done.is_set():
            return "loading"
        return "ready" if self._error is None else "failed"

    def get(self):
        """The classifier; waits until it is there.

        Raises:
            ClipdemoError: it could not be loaded.
        """
        self._done.wait()
        if isinstance(self._error, ClipdemoError):
            raise self._error
        if self._error is not None:
            reason = f"{type(self._error).__name__}: {self._error}"
            raise ClipdemoError(
                f"The model could not be loaded ({reason}): restart the app with another backbone."
            ) from self._error
        return self._classifier
