"""Check whether a backbone fits into memory before it is loaded."""

from pathlib import Path

import psutil

from clipdemo.errors import BackboneError

# The weights are in memory twice while they are loaded, and the first photos need some more.
LOADING = 2.2

# Files of a control group, version 2 and 1: its limit, its usage, and the entry of its statistics
# for the part of the usage that is page cache, which Linux can reclaim.
_GROUP_FILES = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def check_memory(backbone_bytes: int, free: int | None = None) -> None:
    """Refuse weights of this size if loading them needs more memory than there is.

    Args:
        backbone_bytes: size of the weights' file.
        free: bytes of memory; by default those that this process can still use.

    Raises:
        BackboneError: there is not enough.
    """
    free = available() if free is None else free
    needed = LOADING * backbone_bytes
    if needed > free:
        raise BackboneError(
            f"This backbone needs about {needed / 1e9:.1f} GB of memory to load and "
            f"{free / 1e9:.1f} GB are free: choose a smaller one or free some memory."
        )


def available(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes of memory this process can still use: the minimum of the machine's and its containers'.

    psutil knows the machine, but not the limits of control groups (docs.kernel.org, cgroup-v2).
    """
    found = [psutil.virtual_memory().available]
    try:
        lines = (proc / "self/cgroup").read_text().splitlines()
    except OSError:  # not Linux
        return found[0]
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers and "memory" not in controllers.split(","):
            continue
        top = cgroups / "memory" if controllers else cgroups
        folder = top / path.lstrip("/")
        # A container sees its own group as the root, whatever the path in the file.
        found += [_left(group) for group in (folder, *folder.parents) if group.is_relative_to(top)]
    return min(size for size in found if size is not None)


def _left(group: Path) -> int | None:
    """Bytes that a control group can still use; None if it has no limit."""
    for limit, usage, reclaimable in _GROUP_FILES:
        try:
            left = int((group / limit).read_text()) - int((group / usage).read_text())
            counts = dict(map(str.split, (group / "memory.stat").read_text().splitlines()))
        except (OSError, ValueError):  # no such file, or the limit is "max"
            continue
        return max(left + int(counts.get(reclaimable, 0)), 0)
    return None
