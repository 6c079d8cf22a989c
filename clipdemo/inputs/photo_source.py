"""Photos in a folder, a zip or tar shards, asked for by name."""

import hashlib
import os
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from clipdemo.errors import PhotoError, TableError
from clipdemo.inputs.images import MAX_BYTES, photo_bytes

_PIECE = 4096  # bytes
_PACKED = (
    zipfile.ZIP_STORED,
    zipfile.ZIP_DEFLATED,
)  # others unpack a kilobyte to a gigabyte at once


class PhotoSource:
    """Photos by file name, at any depth of a folder, a zip, a tar or a folder with tar shards.

    If a name occurs several times, the one nearest to the top counts. It can be sent to other
    processes, and used in a forked one.
    """

    def __init__(self, path: str | Path) -> None:
        """Raises TableError when the path is not a folder, a zip or a tar."""
        self.path = Path(path)
        self._zip = self._zip_owner = None
        self._packed = {}  # member of a tar -> the tar's path, first byte and size
        if self.path.is_dir():
            found = [p for p in self.path.rglob("*") if p.is_file()]
            for shard in sorted(p for p in found if p.suffix == ".tar"):
                self._packed = _tar_members(shard) | self._packed
            files = [*self._packed, *(p.relative_to(self.path).as_posix() for p in found)]
        elif self.path.suffix == ".tar" and self.path.is_file():
            files = self._packed = _tar_members(self.path)
        elif zipfile.is_zipfile(self.path):
            try:
                files = [i.filename for i in self._opened_zip().infolist() if not i.is_dir()]
            except Exception as error:  # a name that is not what it says has an error of its own
                raise TableError(
                    f"{path} is a damaged zip ({_short(error)}): pack it again."
                ) from error
        else:
            raise TableError(
                f"{path} is neither a folder nor a zip or tar of photos: check the path."
            )
        self._files = {}
        for file in sorted(files, key=lambda f: (f.count("/"), f)):
            self._files.setdefault(file, file)
            self._files.setdefault(file.rpartition("/")[2], file)

    def __contains__(self, name: str) -> bool:
        return name in self._files

    @property
    def names(self) -> list[str]:
        """The full name of each file, those nearest to the top first."""
        return list(dict.fromkeys(self._files.values()))

    def stamp(self, names: Iterable[str]) -> str:
        """A hash that changes when one of these photos is replaced, judged by sizes and times."""
        files = {self.path / self._files[name] for name in names if name in self._files}
        if self._packed or not self.path.is_dir():
            files = {shard for shard, *_ in self._packed.values()} or {self.path}
        facts = [(str(f), (s := f.stat()).st_size, s.st_mtime_ns) for f in sorted(files)]
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def read(self, name: str) -> bytes:
        """The bytes of a photo.

        Raises:
            PhotoError: it is not there, too large or damaged.
        """
        if name not in self._files:
            raise PhotoError(
                f"There is no photo {_short(name)} in {self.path.name}: check its name."
            )
        file = self._files[name]
        if file in self._packed:
            return self._read_tar(name, *self._packed[file])
        if self._zip_owner is not None:
            return self._read_zip(name, file)
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
            raise PhotoError(f"{_short(name)} is cut off in {shard.name}: pack it again.")
        return data

    def _read_zip(self, name: str, file: str) -> bytes:
        try:
            archive = self._opened_zip()
            info = archive.getinfo(file)
            _check_size(name, info.file_size)
            if info.compress_type not in _PACKED:
                raise PhotoError(f"{_short(name)} is packed in an unusual way: zip it as usual.")
            with archive.open(info) as packed:
                # In pieces: a whole file would be unpacked before its size is checked.
                return b"".join(iter(lambda: packed.read(_PIECE), b""))
        except PhotoError:
            raise
        except Exception as error:  # each compression has errors of its own
            raise PhotoError(
                f"{_short(name)} in {self.path.name} cannot be unpacked ({_short(error)})."
            ) from error

    def _opened_zip(self) -> zipfile.ZipFile:
        """The zip, opened once in each process, since forked ones share a file's position."""
        if self._zip is None or self._zip_owner != os.getpid():
            self._zip, self._zip_owner = zipfile.ZipFile(self.path), os.getpid()
        return self._zip

    def __getstate__(self) -> dict:
        return vars(self) | {"_zip": None}


def most_members(path: Path) -> int:
    """An upper bound on the files in a zip or tar, quickly: no names are read.

    Each file has one of these signatures; the number stated in a zip need not be true.
    """
    data = path.read_bytes()
    return max(data.count(b"PK\1\2"), data.count(b"ustar"))


def _check_size(name: str, size: int) -> None:
    if size > MAX_BYTES:
        raise PhotoError(f"{_short(name)} is larger than {MAX_BYTES // 2**20} MB: make it smaller.")


def _short(text: object) -> str:
    """A name, which may have 64 KB, or an error that contains one, short enough for a sentence."""
    return str(text)[:200]


def _tar_members(path: Path) -> dict[str, tuple[Path, int, int]]:
    """Name -> file, first byte and size of each member; a later one of a name replaces it."""
    try:
        with tarfile.open(path, "r:") as tar:
            found = {}
            for member in tar:
                if member.size < 0:  # tarfile would go back and read the same members forever
                    raise tarfile.TarError("a file in it has a negative size")
                if member.isreg() and not member.issparse():
                    name = PurePosixPath(member.name).as_posix()
                    found[name] = path, member.offset_data, member.size
            return found
    except Exception as error:  # a damaged header has errors of its own
        raise TableError(
            f"{path} is a damaged or packed tar ({_short(error)}): pack it again."
        ) from error
