"""The structure of the package; which room may import which is checked by `lint-imports`."""

import re
from graphlib import TopologicalSorter

import grimp
from support.paths import ROOT

PACKAGE = ROOT / "clipdemo"


def test_there_are_few_rooms():
    entries = [
        path.name for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path.is_dir() and path.name != "__pycache__")
    ]  # fmt: skip
    assert len(entries) <= 13, sorted(entries)


def test_no_module_imports_itself_through_others():
    """At the top of a module, in a function, or for type checkers."""
    graph = grimp.build_graph("clipdemo", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the modules


def test_files_named_in_the_guide_exist():
    guide = (PACKAGE / "README.md").read_text("utf-8")
    named = set(re.findall(r"`([\w/]+(?:\.(?:py|js|css|json)|/))`", guide))
    assert len(named) > 20
    assert [name for name in named if not (PACKAGE / name).exists()] == []
