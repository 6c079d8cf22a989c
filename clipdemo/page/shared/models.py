"""The classifiers of the page, each loaded in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from clipdemo.errors import BackboneError, ClipdemoError
from clipdemo.hub.catalog import offer
from clipdemo.hub.locate import locate_local
from clipdemo.model.checkpoints import Card
from clipdemo.model.zero_gpu import is_zero_gpu
from clipdemo.page.settings import Settings

if TYPE_CHECKING:
    from clipdemo.hub.fetch import Fetch
    from clipdemo.model.captioners.choice import Captioner
    from clipdemo.model.classifier import Classifier
    from clipdemo.page.server.access import Role

KEPT = 2


class BackgroundModel:
    """A model that loads in its own thread, so that the page responds before torch is imported.

    Attributes:
        backbone: id of its backbone.
    """

    def __init__(self, backbone: str, load: Callable[[], object]) -> None:
        self.backbone = backbone
        self._loader = load
        self._lock = threading.Lock()
        self._started = False
        self._loaded: Future = Future()

    def start(self) -> BackgroundModel:
        """Begin loading, or try again if that failed; returns at once."""
        with self._lock:
            if self._started and self.status != "failed":
                return self
            if self._started:
                self._loaded = Future()
            self._started = True
        threading.Thread(target=self._load, name="load-model", daemon=True).start()
        return self

    def load_here(self) -> None:
        """Load in this thread, as ZeroGPU needs it; `get` raises what goes wrong."""
        self._started = True
        self._load()

    def _load(self) -> None:
        try:
            self._loaded.set_result(self._loader())
        except Exception as error:  # get() raises it
            self._loaded.set_exception(error)

    @property
    def started(self) -> bool:
        """Whether loading has ever begun."""
        return self._started

    @property
    def status(self) -> str:
        """`loading`, `ready` or `failed`; never waits."""
        if not self._loaded.done():
            return "loading"
        return "ready" if self._loaded.exception() is None else "failed"

    def get(self):
        """The loaded model; waits for it.

        Raises:
            ClipdemoError: it could not be loaded.
        """
        error = self._loaded.exception()
        if error is None:
            return self._loaded.result()
        if isinstance(error, ClipdemoError):
            raise error
        reason = f"{type(error).__name__}: {error}"
        raise ClipdemoError(
            f"{self.backbone} could not be loaded ({reason}): choose another."
        ) from error


class Models:
    """The page's models by backbone id: always the first one, and the `KEPT` last used others.

    Attributes:
        first: the model that the page starts with; it loads once it is started.
        card: the first one's card.
        captioner_name: the captioner in the settings.
        fetches: the latest download of each backbone, if it had to be downloaded.
        offered: backbones that visitors may download.
    """

    def __init__(self, settings: Settings, card: Card) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._others: dict[str, BackgroundModel] = {}
        self.card = card
        self.captioner_name = settings.captioner
        self.fetches: dict[str, Fetch] = {}
        self.offered = settings.offer
        self.first = BackgroundModel(card.backbone, lambda: self._load(card.backbone, card))

    def check(self, backbone: str, role: Role) -> None:
        """Refuse visitors folders, downloads and models of their choice.

        Raises:
            BackboneError: a visitor asks for a backbone that is neither listed and on this
                machine, nor offered by the owner.
        """
        if role == "owner" or backbone in (self.first.backbone, *self.offered):
            return
        if offer(backbone) is None:
            raise BackboneError("This page runs only the backbones in its list: choose one.")
        if locate_local(backbone) is None:
            raise BackboneError(
                f"{backbone} is not on this page's server, and visitors cannot download it: "
                "choose one that is."
            )

    def __getitem__(self, backbone: str) -> BackgroundModel:
        """The model of a backbone; begins to load if it is not loaded, or failed.

        Call `check` first.
        """
        if backbone == self.first.backbone:
            return self.first
        with self._lock:
            other = self._others.pop(backbone, None)
            if other is None or other.status == "failed":
                other = BackgroundModel(backbone, lambda: self._load(backbone))
            self._others[backbone] = other  # before it starts, since `_load` checks that
            other.start()
            # The oldest is freed when the last request that holds it is answered.
            for old in list(self._others)[:-KEPT]:
                del self._others[old]
            return other

    def captioner(self) -> Captioner:
        """The captioner of the settings; `auto` is the study's if cached, else the bundled one.

        Raises:
            CaptionerError: it is missing, or damaged.
        """
        from clipdemo.model.captioners.choice import load_captioner

        if is_zero_gpu():
            return load_captioner(self.captioner_name, None, "cpu")
        return load_captioner(self.captioner_name, self.first.get(), self._settings.device)

    def _load(self, backbone: str, card: Card | None = None) -> Classifier:
        from clipdemo.hub.fetch import ensure_local
        from clipdemo.model.loading import load

        ensure_local(backbone, lambda fetch: self.fetches.update({backbone: fetch}))
        with self._loading:  # one at a time, as loading takes more memory than the model
            if card is None and backbone not in self._others:
                raise BackboneError(f"{backbone} was unloaded to make room: choose it again.")
            return load(
                backbone,
                device="cpu" if card is None and is_zero_gpu() else self._settings.device,
                checkpoint=card.folder if card and self._settings.checkpoint else None,
                precision=self._settings.precision,
            )
