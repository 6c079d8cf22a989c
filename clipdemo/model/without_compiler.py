"""Importing open_clip without torch's compiler."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

COMPILER, UTILS = "torch._dynamo", "torch._dynamo.utils"


@contextmanager
def without_compiler() -> Iterator[None]:
    """A context for the first import of open_clip.

    torchvision and timm import the compiler only to say how it should treat a few of their
    functions, which takes a third of the import; nothing here is compiled.
    """
    if COMPILER in sys.modules:  # too late
        yield
        return
    compiler, utils = _Absent(COMPILER), _Absent(UTILS)
    compiler.disable = lambda function, *_, **__: function
    utils.is_compile_supported = lambda device: False
    sys.modules |= {COMPILER: compiler, UTILS: utils}
    try:
        yield
    finally:
        _remove()


class _Absent(ModuleType):
    """Stands for one of the compiler's modules; gives way to it if more of it is needed."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") and (self.__name__, name) != (COMPILER, "__path__"):
            raise AttributeError(name)  # only `__path__` asks for more: for another module
        _remove()
        return getattr(import_module(self.__name__), name)


def _remove() -> None:
    for name in (COMPILER, UTILS):
        if isinstance(sys.modules.get(name), _Absent):
            del sys.modules[name]
