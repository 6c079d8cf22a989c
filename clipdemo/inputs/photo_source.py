"""Photos in a folder, a zip or tar shards, by name."""

import hashlib
import os
import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import IO

from clipdemo.errors import PhotoError, TableError
from clipdemo.inputs.photo_files import MAX_BYTES, photo_bytes
from clipdemo.inputs.photo_names import PhotoNames, folders_of, is_photo, is_side_file
from clipdemo.inputs.zip_names import zip_names

_GUESSED = ("extension", "leading zeros", "prefix")  # differences of what may be other photos
_PIECE = 4096  # bytes
_PACKED = (
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
)  # others can unpack a kilobyte to a gigabyte in one step


class PhotoSource:
    """Photos by name, at any depth of a folder, a zip, a tar or a folder with tar shards.

    `PhotoNames` decides which file a name refers to. Linked folders are followed, and side files
    that systems create are ignored. Sources can be pickled, and used in forked processes.

    Attributes:
        matched: the differences in names that do not match exactly, with the number of names.
    """

    def __init__(self, path: str | Path) -> None:
        """Raises TableError if the path is not a folder, a zip or a tar."""
        self.path = Path(path)
        self._zip = self._zip_owner = None
        self._packed = {}  # a tar's members: its path, their first byte and size
        self._inside = {}  # file -> its name inside the zip, if different
        if self.path.is_dir():
            found = list(files_below(self.path))
            for shard in sorted(file for file in found if file.endswith(".tar")):
                self._packed = _tar_members(self.path / shard) | self._packed
            files = [*self._packed, *found]
        elif self.path.suffix == ".tar" and self.path.is_file():
            files = self._packed = _tar_members(self.path)
        elif zipfile.is_zipfile(self.path):
            try:
                self._inside = zip_names(self._opened_zip().infolist())
            except Exception as error:  # zipfile has many kinds of errors
                raise TableError(
                    f"{path} is a damaged zip ({_short(error)}): pack it again."
                ) from error
            files = self._inside
        else:
            raise TableError(
                f"{path} is neither a folder nor a zip or tar of photos: check the path."
            )
        self._name(files)

    def _name(self, files: Iterable[str]) -> None:
        files = [file for file in files if not is_side_file(file)]
        self._names = PhotoNames(sorted(files, key=lambda file: (file.count("/"), file)))
        self._found: dict[str, str | PhotoError] = {}
        self.matched: Counter[str] = Counter()

    def __contains__(self, name: str) -> bool:
        return isinstance(self._find(name), str)

    def find(self, name: str) -> str:
        """The path of a photo below the folder or archive.

        Raises:
            PhotoError: there is none of this name, or there are several.
        """
        found = self._find(name)
        if isinstance(found, PhotoError):
            raise PhotoError(str(found))
        return found

    def _find(self, name: str) -> str | PhotoError:
        if name not in self._found:
            try:
                self._found[name], took = self._names.find(name)
                self.matched.update([took] if took else [])
            except PhotoError as error:
                self._found[name] = error
        return self._found[name]

    def match(self, names: Iterable[str]) -> None:
        """Find all photos of a table at once, so that no two of them get the same file by mistake.

        If names with different folders lead to one file, it belongs to those that share the most
        folders with it, and `find` raises PhotoError for the others; also for a name that lacks
        the extension or has other zeros than that of another row.
        """
        names = list(dict.fromkeys(names))
        if self._zip_owner is not None:
            inside = zip_names(self._opened_zip().infolist(), names)
            if inside != self._inside:
                self._inside = inside
                self._name(inside)
        place = self.path.resolve().with_suffix("") if self.path.is_file() else self.path.resolve()
        claims: dict[str, dict[tuple[str, ...], list[str]]] = {}
        for name in names:
            file = self._find(name)
            if isinstance(file, str):
                claims.setdefault(file, {}).setdefault(folders_of(name), []).append(name)
        for file, by_folders in claims.items():
            by_folders = self._sure(file, by_folders)
            longest = max(by_folders, key=len)
            if all(longest[len(longest) - len(folders) :] == folders for folders in by_folders):
                continue
            full = folders_of(f"{place.name}/{file}")
            shared = {folders: _shared_end(folders, full) for folders in by_folders}
            most = max(shared.values())
            sure = sum(count == most for count in shared.values()) == 1
            for folders, wrong in by_folders.items():
                if sure and shared[folders] == most:
                    continue
                for name in wrong:
                    self._found[name] = PhotoError(
                        "The photo found may be another one of the same name: give the folder "
                        "that has both."
                    )

    def _sure(
        self, file: str, by_folders: dict[tuple[str, ...], list[str]]
    ) -> dict[tuple[str, ...], list[str]]:
        """The names of a file, without those that only resemble its own if others are the same."""
        names = [name for group in by_folders.values() for name in group]
        took = {name: self._names.find(name)[1] for name in names if len(names) > 1}
        guessed = {name for name, difference in took.items() if difference.startswith(_GUESSED)}
        if not guessed or len(guessed) == len(names):
            return by_folders
        for name in guessed:
            self._found[name] = PhotoError(
                f"The photo {_short(file)} is named by another row: correct the name."
            )
        left = {f: [n for n in group if n not in guessed] for f, group in by_folders.items()}
        return {folders: group for folders, group in left.items() if group}

    def count_unnamed(self, names: Iterable[str]) -> int:
        """The number of photos that none of these names refers to."""
        used = {found for found in map(self._find, names) if isinstance(found, str)}
        return sum(is_photo(file) and file not in used for file in self.names)

    @property
    def names(self) -> list[str]:
        """The path of each file, sorted by depth."""
        return self._names.files

    def stamp(self, names: Iterable[str]) -> str:
        """A stamp that changes if one of these photos is replaced, by sizes and times."""
        found = {found for found in map(self._find, names) if isinstance(found, str)}
        files = {self.path / file for file in found}
        if self._packed or not self.path.is_dir():
            files = {shard for shard, *_ in self._packed.values()} or {self.path}
        facts = [(str(file), *_state(file)) for file in sorted(files)]
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def read(self, name: str) -> bytes:
        """The bytes of a photo.

        Raises:
            PhotoError: it is not there, too large or damaged.
        """
        file = self.find(name)
        if file in self._packed:
            return self._read_tar(name, *self._packed[file])
        if self._zip_owner is not None:
            return self._read_zip(name, self._inside[file])
        return photo_bytes(self.path / file)

    def _read_tar(self, name: str, shard: Path, start: int, size: int) -> bytes:
        _check_size(name, size)
        try:
            with shard.open("rb") as file:
                file.seek(start)
                data = file.read(size)
        except OSError as error:
            raise PhotoError(
                f"{_short(name)} in {shard.name} cannot be read ({error.strerror})."
            ) from error
        if len(data) < size:
            raise PhotoError(f"{_short(name)} is truncated in {shard.name}: pack it again.")
        return data

    def _read_zip(self, name: str, file: str) -> bytes:
        try:
            archive = self._opened_zip()
            info = archive.getinfo(file)
            _check_size(name, info.file_size)
            if info.compress_type not in _PACKED:
                raise PhotoError(f"{_short(name)} is packed in an unusual way: zip it as usual.")
            with archive.open(info) as packed:
                # In pieces, or the whole file would be unpacked before its size is checked.
                return b"".join(iter(lambda: packed.read(_PIECE), b""))
        except PhotoError:
            raise
        except Exception as error:  # each compression has its own errors
            raise PhotoError(
                f"{_short(name)} in {self.path.name} cannot be unpacked ({_short(error)})."
            ) from error

    def _opened_zip(self) -> zipfile.ZipFile:
        """The zip, opened once per process, since forked ones share a file's position."""
        if self._zip is None or self._zip_owner != os.getpid():
            self._zip, self._zip_owner = zipfile.ZipFile(self.path), os.getpid()
        return self._zip

    def __getstate__(self) -> dict:
        return vars(self) | {"_zip": None}


class RemotePhotos(PhotoSource):
    """Photos at an address for fsspec, such as `s3://bucket/photos`, and in tar shards there.

    The address's fsspec implementation, such as s3fs, must be installed.
    """

    def __init__(self, address: str) -> None:
        """Raises TableError if the address cannot be listed."""
        import fsspec

        self._zip = self._zip_owner = None
        try:
            self._system, self._root = fsspec.url_to_fs(address)
            found = [file.removeprefix(self._root).lstrip("/") for file in self._listed()]
            self._packed = {}
            for shard in sorted(file for file in found if file.endswith(".tar")):
                with self._system.open(f"{self._root}/{shard}") as file:
                    self._packed = _tar_members(Path(shard), file) | self._packed
        except TableError:
            raise
        except Exception as error:  # each kind of address has its own errors
            raise TableError(
                f"{address} cannot be listed ({_short(error)}): check the address and your access."
            ) from error
        self.path = Path(PurePosixPath(self._root).name or address)
        self._name([*self._packed, *found])

    def _listed(self) -> list[str]:
        if not self._system.exists(self._root):
            raise FileNotFoundError("there is nothing")
        return self._system.find(self._root)

    def read(self, name: str) -> bytes:
        """The bytes of a photo; raises PhotoError as `PhotoSource.read` does."""
        file = self.find(name)
        shard, start, size = self._packed.get(file, (file, 0, None))
        try:
            if size is None:
                size = self._system.size(f"{self._root}/{file}")
            _check_size(name, size)
            return self._system.cat_file(f"{self._root}/{shard}", start, start + size)
        except PhotoError:
            raise
        except Exception as error:
            raise PhotoError(f"{_short(name)} cannot be read ({_short(error)}).") from error


def photo_source(place: str | Path) -> PhotoSource:
    """The photos of a folder, a zip, tars or an address with `://`; raises TableError."""
    return RemotePhotos(place) if "://" in str(place) else PhotoSource(place)


def most_members(path: Path) -> int:
    """An upper bound on the number of files in a zip or tar, found without reading names.

    It counts a zip's signatures, of which each file has one, since the number stated may be false,
    and a tar's headers.
    """
    data = path.read_bytes()
    headers = at = 0
    while (size := re.fullmatch(rb"[ \0]*([0-7]+)[ \0]*", data[at + 124 : at + 136])) is not None:
        headers += 1
        at += 512 * (1 - -int(size[1], 8) // 512)
    return max(data.count(b"PK\1\2"), data.count(b"ustar"), headers)


def files_below(folder: Path) -> Iterator[str]:
    """Paths of all files below a folder; links to folders are followed, but cycles only once."""
    seen = {folder.resolve()}
    for here, folders, files in os.walk(folder, followlinks=True):
        real = {name: (Path(here) / name).resolve() for name in folders}
        folders[:] = [name for name in sorted(folders) if real[name] not in seen]
        seen |= set(real.values())
        below = Path(here).relative_to(folder)
        yield from ((below / name).as_posix() for name in files)


def _check_size(name: str, size: int) -> None:
    if size > MAX_BYTES:
        raise PhotoError(f"{_short(name)} is larger than {MAX_BYTES // 2**20} MB: make it smaller.")


def _short(text: object) -> str:
    """A name, which may have 64 KB, or an error with one, shortened for use in a sentence."""
    return str(text)[:200]


def _tar_members(path: Path, file: IO[bytes] | None = None) -> dict[str, tuple[Path, int, int]]:
    """Name -> file, first byte and size of each member; later members replace earlier ones."""
    try:
        with tarfile.open(None if file else path, "r:", file) as tar:
            found = {}
            for member in tar:
                if member.size < 0:  # tarfile would loop over the same members forever
                    raise tarfile.TarError("a file in it has a negative size")
                if member.isreg() and not member.issparse():
                    name = PurePosixPath(member.name).as_posix()
                    found[name] = path, member.offset_data, member.size
            return found
    except Exception as error:  # damaged headers raise many kinds of errors
        raise TableError(
            f"{path} is a damaged or packed tar ({_short(error)}): pack it again."
        ) from error


def _shared_end(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many folders at the end of both are the same."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _state(file: Path) -> tuple[int, int] | tuple[None, None]:
    """A file's size and time of change; None for what is not there, such as a dangling link's."""
    try:
        found = file.stat()
    except OSError:
        return None, None
    return found.st_size, found.st_mtime_ns
