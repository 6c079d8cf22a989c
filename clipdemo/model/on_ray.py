"""A Ray cluster: a connection to it, and work spread over its machines.

Each machine must have the project at the same path and see the photos under the same names.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from clipdemo.errors import ClipdemoError

ROOT = Path(__file__).resolve().parents[2]
# Ray puts its sockets there: their paths must be short, and TMPDIR may be long.
LOCAL = {"include_dashboard": False, "_temp_dir": "/tmp/ray" if os.name == "posix" else None}
PATIENCE = 10  # seconds that a cluster may take to answer
BLOCKS = 10_000  # at most, since the driver keeps a record of each


@contextmanager
def connected(address: str) -> Iterator[None]:
    """A connection to the cluster at an address; `auto`: the one of this machine, `local`: a new
    one on it.

    Raises:
        ClipdemoError: Ray is not installed, or does not answer.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        from ray.data import DataContext
    except ImportError:
        raise ClipdemoError("Ray is missing: run `pip install -r requirements-ray.txt`.") from None
    try:
        _check_answers(address)
        ray.init(
            address,
            runtime_env={
                "env_vars": {"PYTHONPATH": str(ROOT)},
                "worker_process_setup_hook": _entering(Path.cwd()),
            },
            logging_level="error",
            log_to_driver=False,
            **(LOCAL if address == "local" else {}),
        )
    except (ConnectionError, ValueError, OSError) as error:
        raise ClipdemoError(
            f"There is no Ray cluster at {address} ({str(error).splitlines()[0]}): start one with "
            "`ray start --head`, and for a cluster that requires a token, as new ones do, set "
            "RAY_AUTH_MODE=token."
        ) from error
    DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Raises OSError if nothing listens at `host:port`; Ray itself would wait for minutes."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()


def _entering(folder: Path) -> Callable[[], None]:
    """A worker's setup hook: enter this process's working folder, so relative paths agree."""

    def enter() -> None:
        if folder.is_dir():
            os.chdir(folder)

    return enter


def gpus() -> int:
    """The number of GPUs in the cluster."""
    import ray

    return int(ray.cluster_resources().get("GPU", 0))


def workers() -> dict[str, Any]:
    """Arguments of `map_batches` for one persistent worker per GPU, or per core without GPUs."""
    import ray

    most = gpus() or int(ray.cluster_resources().get("CPU", 1))
    pool = ray.data.ActorPoolStrategy(min_size=1, max_size=most)
    return {"compute": pool} | ({"num_gpus": 1} if gpus() else {"num_cpus": 1})


def rows_of(data: Any) -> Iterator[dict]:
    """The blocks of a Ray dataset as soon as they are done.

    Raises:
        ClipdemoError: it still fails after Ray's retries.
    """
    import ray

    try:
        yield from data.iter_batches(batch_size=None)
    except ray.exceptions.RayError as error:
        lines = str(error).splitlines()
        reason = next((line for line in reversed(lines) if "Error: " in line), lines[-1])
        raise ClipdemoError(
            f"The cluster could not finish ({reason.strip()}): run the same command again to "
            "resume."
        ) from error


def map_in_workers(make: Callable[[], Callable], items: Sequence) -> Iterator:
    """The results of the function `make()` for each item, in order; a worker calls `make` once.

    Raises:
        ClipdemoError: it still fails after Ray's retries.
    """
    import ray

    if not items:
        return
    ray.data.DataContext.get_current().execution_options.preserve_order = True
    data = ray.data.from_items(
        [{"item": ray.cloudpickle.dumps(item)} for item in items],
        override_num_blocks=min(len(items), BLOCKS),
    )
    done = data.map_batches(Worker, batch_size=1, fn_constructor_args=(make,), **workers())
    for block in rows_of(done):
        yield from map(ray.cloudpickle.loads, block["found"])


class Worker:
    """The function that `make` returns, in a worker process."""

    def __init__(self, make: Callable[[], Callable]) -> None:
        use_given_cores()
        self._work = make()

    def __call__(self, block: dict) -> dict:
        """Pickled results `found` for pickled inputs `item`."""
        from ray import cloudpickle

        return {
            "found": [cloudpickle.dumps(self._work(cloudpickle.loads(i))) for i in block["item"]]
        }


def use_given_cores() -> str:
    """The device that Ray assigned to this worker; without a GPU, torch then uses one core."""
    import ray

    if ray.get_gpu_ids():
        return "cuda"
    torch.set_num_threads(1)
    return "cpu"
