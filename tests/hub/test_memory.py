"""Memory: a backbone that does not fit is refused before it is loaded."""

import psutil
import pytest

from clipdemo.errors import BackboneError
from clipdemo.hub.memory import available, check_memory


def test_weights_too_large_for_memory_are_refused(is_sentence):
    check_memory(10**9, free=23 * 10**8)
    with pytest.raises(BackboneError, match=r"2\.2 GB") as caught:
        check_memory(10**9, free=21 * 10**8)
    assert is_sentence(caught.value)
    check_memory(1)
    with pytest.raises(BackboneError):
        check_memory(10**15)


@pytest.mark.parametrize("version", [1, 2])
def test_the_least_of_all_limits_counts(tmp_path, version):
    """The machine's, the container's and a nested group's, in Linux's formats."""
    (tmp_path / "proc/self").mkdir(parents=True)
    line = {1: "4:cpu,memory:/a/b", 2: "0::/a/b"}[version]
    (tmp_path / "proc/self/cgroup").write_text(f"9:cpuset:/\n{line}\n")
    top = tmp_path / "cgroup" / ("memory" if version == 1 else "")
    names = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
             2: ("memory.max", "memory.current", "inactive_file")}[version]  # fmt: skip
    for group, limit, used in (("a", "900000", 500000), ("a/b", "max", 100000)):
        (top / group).mkdir(parents=True)
        (top / group / names[0]).write_text(limit)
        (top / group / names[1]).write_text(str(used))
        (top / group / "memory.stat").write_text(f"anon 7\n{names[2]} 200000\n")
    assert available(tmp_path / "proc", tmp_path / "cgroup") == 600000
    elsewhere = available(tmp_path / "proc", tmp_path / "none")
    assert 600000 < elsewhere < psutil.virtual_memory().total
