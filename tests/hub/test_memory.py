"""Memory: a backbone that does not fit is refused before it is loaded."""

import shutil

import pytest

from clipdemo.errors import BackboneError
from clipdemo.hub import memory


def test_weights_too_large_for_memory_are_refused(is_sentence):
    memory.check_memory(10**9, free=23 * 10**8)
    with pytest.raises(BackboneError) as caught:
        memory.check_memory(10**9, free=21 * 10**8)
    assert is_sentence(caught.value)
    assert "2.2 GB" in str(caught.value)
    memory.check_memory(1)
    with pytest.raises(BackboneError):
        memory.check_memory(10**15)


@pytest.mark.parametrize("version", [1, 2])
def test_the_least_of_all_limits_counts(tmp_path, version):
    """Machine, container, and a group within: as Linux writes it."""
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   4000 kB\n")
    line = {1: "4:cpu,memory:/a/b", 2: "0::/a/b"}[version]
    (proc / "self" / "cgroup").write_text(f"9:cpuset:/\n{line}\n")
    top = groups / "memory" if version == 1 else groups
    names = {1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
             2: ("memory.max", "memory.current", "inactive_file")}[version]  # fmt: skip
    for group, limit, used in (("a", "900000", 500000), ("a/b", "max", 100000)):
        (top / group).mkdir(parents=True)
        (top / group / names[0]).write_text(limit)
        (top / group / names[1]).write_text(str(used))
        (top / group / "memory.stat").write_text(f"anon 7\n{names[2]} 200000\n")
    assert memory.available(proc, groups) == 600000
    shutil.rmtree(top)
    assert memory.available(proc, groups) == 4000 * 1024
    assert memory.available(tmp_path / "elsewhere", groups) is None
