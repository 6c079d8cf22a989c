"""Whether a backbone fits into memory, asked before it is loaded."""

from pathlib import Path

from clipdemo.errors import BackboneError

# The weights are read beside the model they go into, and the first photos need some more.
LOADING = 2.2


def check_memory(backbone_bytes: int, free: int | None = None) -> None:
    """Refuse weights of that many bytes where loading them needs more memory than there is.

    Args:
        backbone_bytes: size of the weights' file.
        free: bytes of memory; by default what this process can still have.

    Raises:
        BackboneError: there is not enough.
    """
    free = available() if free is None else free
    needed = LOADING * backbone_bytes
    if free is not None and needed > free:
        raise BackboneError(
            f"This backbone needs about {needed / 1e9:.1f} GB of memory to be loaded and "
            f"{free / 1e9:.1f} GB are free: choose a smaller one or free some memory."
        )


def available(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes of memory that this process can still have; None where Linux is not there to ask."""
    found = [_machine(proc / "meminfo"), *_limits(proc / "self/cgroup", cgroups)]
    return min((n for n in found if n is not None), default=None)


def _machine(path: Path) -> int | None:
    for line in _lines(path):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _limits(membership: Path, root: Path) -> list[int | None]:
    """What each control group that holds this process still allows, version 2 and 1."""
    found = []
    for line in _lines(membership):
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory") and "memory" not in controllers.split(","):
            continue
        top = root / "memory" if controllers else root
        folder = top / path.strip().lstrip("/")
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        names = names if controllers else ("memory.max", "memory.current", "inactive_file")
        # A container sees its own group as the root, whatever path it is told.
        for group in (folder, *folder.parents):
            found.append(_group(group, *names))
            if group == top:
                break
    return found


def _group(folder: Path, limit: str, usage: str, reclaimable: str) -> int | None:
    """Limit less usage of one group; pages that only cache files count as free."""
    try:
        most, used = (int((folder / name).read_text()) for name in (limit, usage))
    except (OSError, ValueError):  # no such group here, or its limit is "max"
        return None
    counts = dict(line.split(" ", 1) for line in _lines(folder / "memory.stat"))
    return max(most - used + int(counts.get(reclaimable, 0)), 0)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
