"""Backbones from the hub: which state one is in, and `Fetch`, a download that can be stopped.

`python -m clipdemo.hub.fetch ID` downloads one and tells its progress as lines of JSON; what comes
from where can be given as a second argument, which spares it looking that up.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from clipdemo.errors import BackboneError
from clipdemo.hub.catalog import CHECKPOINTS
from clipdemo.hub.memory import check_memory
from clipdemo.hub.repositories import LOCAL, Source, cached, files, repository, weights

__all__ = ["Fetch", "State", "cached", "check_memory", "here", "look", "repository", "survey"]

_KINDS = (".safetensors", ".bin", ".pth")


@dataclass(frozen=True)
class State:
    """Where a backbone is.

    Attributes:
        state: `bundled`, `cached`, `local`, `downloadable` or `unreachable`.
        bytes: size of its weights, where known.
    """

    state: str
    bytes: int | None = None


def look(backbone: str, timeout: float | None = None) -> State:
    """Where a backbone is; the hub is asked only for one that is not here.

    Args:
        backbone: a backbone id.
        timeout: seconds of silence after which the hub counts as unreachable; by default what
            its own client waits (HF_HUB_ETAG_TIMEOUT).

    Raises:
        BackboneError: there is no such backbone, here or on the hub.
    """
    return here(backbone) or _ask(backbone, timeout)


def here(backbone: str) -> State | None:
    """`look` without the hub: None for a backbone that is not on this machine."""
    if backbone == "tiny":
        return _folder("bundled", CHECKPOINTS / backbone)
    if backbone.startswith(LOCAL):
        return _folder("local", Path(backbone.removeprefix(LOCAL)))
    path = cached(backbone)
    return State("cached", path.stat().st_size) if path else None


def _folder(state: str, folder: Path) -> State:
    if not (folder / "open_clip_config.json").is_file():
        raise BackboneError(
            f"{folder} holds no open_clip_config.json: point to a folder that open_clip's "
            "local-dir: can load."
        )
    sizes = [p.stat().st_size for kind in _KINDS for p in folder.glob(f"*{kind}")]
    return State(state, max(sizes, default=None))


def _ask(backbone: str, timeout: float | None = None) -> State:
    """Ask the hub, in a thread: its client does not count the time a name server takes."""
    from huggingface_hub import constants

    from clipdemo.hub.download_process import describe, sentence, unreachable

    timeout = constants.HF_HUB_ETAG_TIMEOUT if timeout is None else timeout
    place, answers = repository(backbone), []

    def ask() -> None:
        try:
            answers.append(describe(weights(backbone), timeout))
        except Exception as error:
            answers.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(2 * timeout)  # to connect, and for the answer
    answer = answers[0] if answers else TimeoutError()
    if isinstance(answer, TimeoutError) or (isinstance(answer, Exception) and unreachable(answer)):
        return State("unreachable")
    if isinstance(answer, Exception):
        raise BackboneError(sentence(answer, backbone, place)) from answer
    if answer is None:
        raise BackboneError(f"{place} on the hub holds no weights that open_clip loads.")
    return State("downloadable", answer.size or None)


def survey(backbones: list[str], timeout: float | None = None) -> dict[str, State]:
    """States of several; a hub that does not answer for one is not asked for the others."""
    states = {backbone: here(backbone) for backbone in backbones}
    missing = [backbone for backbone, state in states.items() if state is None]

    def ask(backbone: str) -> State:
        try:
            return _ask(backbone, timeout)
        except BackboneError:
            return State("unreachable")

    if missing and (first := ask(missing[0])).state == "unreachable":
        return states | dict.fromkeys(missing, first)
    if missing:
        with ThreadPoolExecutor(len(missing)) as pool:
            rest = pool.map(ask, missing[1:])
            states |= {missing[0]: first} | dict(zip(missing[1:], rest, strict=True))
    return states


class Fetch:
    """A download of a backbone's files, in a process of its own so that it can always be stopped.

        fetch = Fetch("ViT-B-32-quickgelu/openai").start()
        fetch.wait()
        fetch.error  # None, or a BackboneError whose message is one sentence

    Attributes:
        done, total: bytes; total is 0 until the hub has told the sizes.
        error: what went wrong; None while it runs, when it went well and when it was cancelled.
        ready: whether the files are all there.
    """

    def __init__(self, backbone: str, silence: float | None = None, startup: float = 60.0) -> None:
        """Nothing happens before `start`.

        Args:
            backbone: a backbone id.
            silence: seconds without a byte from the hub after which it is stopped; by default
                three times what its own client waits (HF_HUB_DOWNLOAD_TIMEOUT), which tries again.
            startup: seconds that the process may need until it asks the hub.
        """
        from huggingface_hub import constants

        self.backbone = backbone
        self.done = self.total = 0
        self.error: BackboneError | None = None
        self.ready = self.cancelled = False
        if silence is None:
            silence = 3.0 * constants.HF_HUB_DOWNLOAD_TIMEOUT
        self._silence = silence
        self._deadline = time.monotonic() + startup
        self._startup = startup
        self._process: subprocess.Popen | None = None
        self._ended = threading.Event()

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and not self._ended.is_set()

    def start(self) -> "Fetch":
        """Begin; returns at once, with the error of an id that is none."""
        try:
            known = files(self.backbone) if repository(self.backbone) else []
        except BackboneError as error:
            self.error = error
        if self.error or not known:
            self.ready = not self.error
            self._ended.set()
            return self
        self._launch(json.dumps([asdict(source) for source in known]))
        atexit.register(self.cancel)
        for work in (self._listen, self._watch):
            threading.Thread(target=work, daemon=True).start()
        return self

    def _launch(self, known: str) -> None:
        root = str(CHECKPOINTS.parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        # Over plain HTTP the bytes are told as they come, and a slow line is not taken for a hang.
        settings = {"PYTHONPATH": os.pathsep.join(paths), "HF_HUB_DISABLE_XET": "1"}
        self._deadline = time.monotonic() + self._startup
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", "clipdemo.hub.fetch", self.backbone, known],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._errors,
            env=os.environ | settings,
        )  # fmt: skip

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended; False when it has not after that many seconds."""
        return self._ended.wait(timeout)

    def cancel(self) -> None:
        """Stop it, wait until it has stopped; nothing half-finished is left in the cache."""
        if self.running:
            self.cancelled = True
            self._kill()
            self._ended.wait()

    def _kill(self) -> None:
        """First so that it can delete its partial file, then so that it cannot refuse."""
        self._process.terminate()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _listen(self) -> None:
        """Read what the process says until it ends."""
        for line in self._process.stdout:
            try:
                said = json.loads(line)
            except ValueError:  # some library's own print
                continue
            self._deadline = time.monotonic() + self._silence
            self.done, self.total = said.get("done", self.done), said.get("total", self.total)
            self.ready = said.get("ready", False)
            if "error" in said:
                self._fail(said["error"])
        self._process.wait()
        if not self.ready:
            self._fail(
                f"The download of {self.backbone} ended early{self._last_words()}: try it again."
            )
        self._process.stdout.close()
        self._errors.close()
        atexit.unregister(self.cancel)
        self._ended.set()

    def _watch(self) -> None:
        """Kill it when nothing has come for too long."""
        while (left := self._deadline - time.monotonic()) > 0:
            if self._ended.wait(min(left, 0.2)):  # what is heard moves the deadline
                return
        self._fail(
            f"The hub sent nothing for {self._silence:g} seconds, so the download of "
            f"{self.backbone} was stopped: try again later, or choose a backbone that is here."
        )
        self._kill()

    def _fail(self, message: str) -> None:
        """Keep the first error; being cancelled is none."""
        if self.error is None and not self.cancelled:
            self.error = BackboneError(message)

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return f" ({lines[-1][:160]})" if lines else ""


def main(backbone: str, known: str = "") -> None:
    """The child process: download, and say every step as a line of JSON on standard output."""
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    from huggingface_hub import constants

    from clipdemo.hub.download_process import download

    # By default a chunk is 10 MB, and a slow line would look silent for longer than a hang.
    constants.DOWNLOAD_CHUNK_SIZE = 1 << 16
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))  # the client then deletes its partial file
    if known:  # started by Fetch
        threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    try:
        if known or repository(backbone):
            sources = [Source(**s) for s in json.loads(known)] if known else files(backbone)
            download(backbone, sources, _say)
    except BackboneError as error:
        _say({"error": str(error)})
        sys.exit(2)
    _say({"ready": True})


def _end_with_parent(parent: int) -> None:
    """A parent that was killed cannot cancel."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _say(step: dict) -> None:
    print(json.dumps(step), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
