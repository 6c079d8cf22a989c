"""Downloads of backbones that can be stopped at any time."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable

from clipdemo.errors import BackboneError
from clipdemo.hub.locate import locate
from clipdemo.hub.memory import check_memory


class Fetch:
    """A download of a backbone's files, in a process, so that it can always be stopped.

        fetch = Fetch("ViT-B-32-quickgelu/openai").start()
        fetch.wait()
        fetch.error  # None, or a BackboneError whose message is one sentence

    Attributes:
        done, total: bytes; total is 0 until the sizes are known.
        error: what went wrong; None while it runs, after success and after a cancellation.
        ready: whether all files are in the cache.
    """

    def __init__(self, backbone: str) -> None:
        """Call `start` to begin."""
        self.backbone = backbone
        self.done = self.total = 0
        self.error: BackboneError | None = None
        self.ready = self.cancelled = False
        self._process: subprocess.Popen | None = None
        self._ended = threading.Event()

    @property
    def running(self) -> bool:
        """Whether it has started and not ended."""
        return self._process is not None and not self._ended.is_set()

    def start(self) -> "Fetch":
        """Start the download and return at once."""
        # Without Xet, progress is reported in small steps as the bytes arrive.
        settings = {"PYTHONPATH": os.pathsep.join(sys.path), "HF_HUB_DISABLE_XET": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "clipdemo.hub.download_process", self.backbone],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=os.environ | settings, encoding="utf-8", errors="replace",
        )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended; False if it has not after `timeout` seconds."""
        return self._ended.wait(timeout)

    def cancel(self) -> None:
        """Stop it and wait until it has stopped; no partial file is left in the cache."""
        if self.running:
            self.cancelled = True
            self._process.terminate()  # the client then deletes its partial file
            if not self._ended.wait(2):
                self._process.kill()
            self._ended.wait()

    def _listen(self) -> None:
        """Read the process's reports until it ends."""
        message = last_line = ""
        for line in self._process.stdout:
            try:
                step = dict(json.loads(line))
            except (ValueError, TypeError):  # a library's own print, or a traceback
                last_line = line.strip() or last_line
                continue
            self.done, self.total = step.get("done", self.done), step.get("total", self.total)
            self.ready, message = step.get("ready", False), step.get("error", "")
        status = self._process.wait()
        self._process.stdout.close()
        if not (self.ready or self.cancelled):
            reason = last_line[:160] or f"exit status {status}"
            ended_early = f"The download of {self.backbone} ended early ({reason}): try again."
            self.error = BackboneError(message or ended_early)
        self._ended.set()


def ensure_local(backbone: str, watch: Callable[[Fetch], object] = lambda fetch: None) -> None:
    """Make sure a backbone's files are on this machine, downloading them if necessary.

    Args:
        backbone: a backbone id.
        watch: called with the download when it starts, if there is one.

    Raises:
        BackboneError: there is no such backbone, it cannot be downloaded, or it is too large for
            the memory.
    """
    state = locate(backbone)
    if state.state == "unreachable":
        raise BackboneError(
            f"{backbone} is not on this machine, and the hub cannot be reached: check the network, "
            "or choose a backbone that is."
        )
    check_memory(state.bytes or 0)
    if state.state == "downloadable":
        fetch = Fetch(backbone).start()
        watch(fetch)
        fetch.wait()
        if not fetch.ready:
            raise fetch.error or BackboneError(f"The download of {backbone} was cancelled.")
