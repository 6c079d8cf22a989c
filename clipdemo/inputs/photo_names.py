"""Names of photos: which files are photos, and which file a name in a table refers to."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import takewhile
from pathlib import PurePosixPath
from urllib.parse import unquote

from clipdemo.errors import PhotoError

EXTENSIONS = ("jpg", "jpeg", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "heic", "avif")
_SIDE_FOLDERS = {"__macosx", "@eadir", "$recycle.bin"}
_SIDE_FILES = {"thumbs.db", "desktop.ini"}
_UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")  # Label Studio's prefix of uploaded files


def is_photo(path: str) -> bool:
    """Whether a path in a folder or archive has a photo's extension and is not a side file."""
    return path.rpartition(".")[2].casefold() in EXTENSIONS and not is_side_file(path)


def is_side_file(path: str) -> bool:
    """Whether systems create such files: previews, settings, resource forks, hidden files."""
    *folders, name = (part for part in path.split("/") if part != "..")
    if any(folder.casefold() in _SIDE_FOLDERS or folder.startswith(".") for folder in folders):
        return True
    return name.startswith(".") or name.casefold() in _SIDE_FILES


def _slashed(name: str) -> str:
    """A path of any system, or a URL, as a path with `/`, without its drive, query and `./`."""
    if "://" in name:
        name = re.sub(r"[?#].*", "", name, flags=re.DOTALL)
    name = unquote(re.sub(r"^file:/*", "/", name.strip(), flags=re.IGNORECASE))
    name = re.sub(r"^[A-Za-z]:", "", name.replace("\\", "/"))
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def folders_of(name: str) -> tuple[str, ...]:
    """The folders in a name of any form, for comparisons."""
    return PurePosixPath(_composed(_slashed(name)).casefold()).parts[:-1]


def respelled(name: str) -> str:
    """The form in which spellings of one path are equal: its slashes, `./` and Unicode form."""
    name = _composed(name.replace("\\", "/"))
    return re.sub(r"(?<!:)/(?:\.?/)+", "/", re.sub(r"^(?:\./+)+", "", name))


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _stem(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return stem if dot and extension.casefold() in EXTENSIONS else name


def _unpadded(name: str) -> str:
    return re.sub(r"(?<!\d)0+(?=\d)", "", name)


# From the smallest to the largest change of a name: its description and function.
_STEPS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("", lambda name: name),
    ("Unicode form", _composed),
    ("case", lambda name: _composed(name).casefold()),
    ("extension", lambda name: _stem(_composed(name).casefold())),
    ("leading zeros", lambda name: _unpadded(_composed(name).casefold())),
    ("leading zeros and extension", lambda name: _unpadded(_stem(_composed(name).casefold()))),
)


class PhotoNames:
    """Finds the file that a name in a table refers to.

    That is the file with exactly that name, else the only one that matches if slashes, drive,
    folders, URL escapes, Unicode form, case, a missing extension and leading zeros are ignored,
    tried in this order.

    Attributes:
        files: all paths.
    """

    def __init__(self, files: Iterable[str]) -> None:
        """`files` are paths below the folder or archive, with `/`."""
        self.files = list(files)
        self._exact = set(self.files)
        self._indexes: dict[int, dict[str, list[str]]] = {}
        self._ordered: dict[tuple[int, str], list[tuple[str, str]]] = {}

    def find(self, name: str) -> tuple[str, str]:
        """The file, and the difference in its name: "" for none, else for example "case".

        Raises:
            PhotoError: there is none, or there are several.
        """
        if name in self._exact:
            return name, ""
        path = _slashed(name)
        if path in self._exact:
            return path, "path"
        wanted = PurePosixPath(path).parts
        last = wanted[-1] if wanted else ""
        for step, (took, simplify) in enumerate(_STEPS):
            if took.endswith("extension") and last.rpartition(".")[2].casefold() in EXTENSIONS:
                continue
            if simplify(last) in self._index(step):
                return self._nearest(name, path, step, simplify(last)), took or "folder"
        uploaded = _UPLOADED.sub("", last, count=1)
        if uploaded != last:
            return self.find(uploaded)[0], "prefix of an upload"
        raise PhotoError(f"There is no photo {name[:200]}: check its name.")

    def _index(self, step: int) -> dict[str, list[str]]:
        if step not in self._indexes:
            index = defaultdict(list)
            for file in self.files:
                index[_STEPS[step][1](file.rpartition("/")[2])].append(file)
            self._indexes[step] = index
        return self._indexes[step]

    def _nearest(self, name: str, path: str, step: int, last: str) -> str:
        """Of the files with that last part, the one that shares the most folders before it.

        It stands where the path would be in the order of their folders, so that thousands of rows
        and thousands of files of one name take no longer than others.
        """
        files, simplify = self._index(step)[last], _STEPS[step][1]
        if len(files) == 1:
            return files[0]
        if (step, last) not in self._ordered:
            self._ordered[step, last] = sorted((_upwards(file, simplify), file) for file in files)
        ordered, own = self._ordered[step, last], _upwards(path, simplify)
        at = bisect_left(ordered, (own,))
        near = ordered[max(0, at - 1) : at + 1]
        shared = max((_shared(own, folders) for folders, _ in near), key=len)
        at = bisect_left(ordered, (shared,))
        first, *others = [f for folders, f in ordered[at : at + 2] if folders.startswith(shared)]
        if others:
            raise PhotoError(
                f"{name[:200]} may be {first[:200]} or {others[0][:200]}: write its folder into "
                "the table."
            )
        return first


def _upwards(path: str, simplify: Callable[[str], str]) -> str:
    """The folders of a path from the last to the first, each with `/`, for comparisons."""
    return "".join(f"{simplify(folder)}/" for folder in path.split("/")[-2::-1])


def _shared(one: str, other: str) -> str:
    """The folders that both begin with, each with `/`."""
    pairs = zip(one.split("/")[:-1], other.split("/")[:-1], strict=False)
    return "".join(f"{ours}/" for ours, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
