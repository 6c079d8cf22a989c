"""A Ray cluster: a connection to it, and work spread over its machines.

Each machine has the project at the same path, and sees the photos under the same names.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from clipdemo.errors import ClipdemoError

ROOT = Path(__file__).resolve().parents[2]
# Its sockets lie in there; the path of a socket must be short, which TMPDIR need not be.
LOCAL = {"include_dashboard": False, "_temp_dir": "/tmp/ray" if os.name == "posix" else None}
BLOCKS = 10_000  # at most, for the driver keeps a record of each


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
            "`ray start --head`; "
            "for one that asks for a token, as new ones do, set RAY_AUTH_MODE=token."
        ) from error
    DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()


def _entering(folder: Path) -> Callable[[], None]:
    """What a worker does first: relative names mean there what they mean here."""

    def enter() -> None:
        if folder.is_dir():
            os.chdir(folder)

    return enter


def gpus() -> int:
    """How many the cluster has."""
    import ray

    return int(ray.cluster_resources().get("GPU", 0))


def workers() -> dict[str, Any]:
    """Arguments of `map_batches`: a worker that stays loaded for each GPU, or else each core."""
    import ray

    most = gpus() or int(ray.cluster_resources().get("CPU", 1))
    pool = ray.data.ActorPoolStrategy(min_size=1, max_size=most)
    return {"compute": pool} | ({"num_gpus": 1} if gpus() else {"num_cpus": 1})


def rows_of(data: Any) -> Iterator[dict]:
    """The blocks of a Ray dataset as soon as they are done.

    Raises:
        ClipdemoError: it fails again and again.
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


def spread(make: Callable[[], Callable], items: Sequence) -> Iterator:
    """What `make()` says of each item, in their order; a worker calls `make` once.

    Raises:
        ClipdemoError: it fails again and again.
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
    """What `make` made, in a process of the cluster."""

    def __init__(self, make: Callable[[], Callable]) -> None:
        use_given_cores()
        self._work = make()

    def __call__(self, block: dict) -> dict:
        """`found`, pickled, for each pickled `item`."""
        from ray import cloudpickle

        return {
            "found": [cloudpickle.dumps(self._work(cloudpickle.loads(i))) for i in block["item"]]
        }


def use_given_cores() -> str:
    """The device that Ray gave this worker; without a GPU, one core of the machine."""
    import ray

    if ray.get_gpu_ids():
        return "cuda"
    torch.set_num_threads(1)
    return "cpu"
