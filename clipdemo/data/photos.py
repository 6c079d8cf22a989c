"""A folder or a zip of photos, asked for them by name."""

import zipfile
from pathlib import Path

from clipdemo.errors import PhotoError, TableError
from clipdemo.images import MAX_BYTES, photo_bytes


class PhotoSource:
    """Photos by file name, at any depth of a folder or zip.

    Where a name stands at several places, the one nearest to the top counts.
    """

    def __init__(self, path: str | Path) -> None:
        """Raises TableError when the path is neither a folder nor a zip."""
        self.path = Path(path)
        self._zip = None
        if self.path.is_dir():
            files = [
                p.relative_to(self.path).as_posix() for p in self.path.rglob("*") if p.is_file()
            ]
        elif zipfile.is_zipfile(self.path):
            try:
                self._zip = zipfile.ZipFile(self.path)
            except zipfile.BadZipFile as error:
                raise TableError(f"{path} is a damaged zip ({error}): pack it again.") from error
            files = [i.filename for i in self._zip.infolist() if not i.is_dir()]
        else:
            raise TableError(f"{path} is neither a folder nor a zip of photos: check the path.")
        self._files = {}
        for file in sorted(files, key=lambda f: (f.count("/"), f)):
            self._files.setdefault(file, file)
            self._files.setdefault(file.rpartition("/")[2], file)

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def read(self, name: str) -> bytes:
        """The bytes of a photo.

        Raises:
            PhotoError: it is not there, too large or damaged.
        """
        if name not in self._files:
            raise PhotoError(f"There is no photo {name} in {self.path}: check its name.")
        if self._zip is None:
            return photo_bytes(self.path / self._files[name])
        info = self._zip.getinfo(self._files[name])
        if info.file_size > MAX_BYTES:
            raise PhotoError(f"{name} is larger than {MAX_BYTES // 2**20} MB: make it smaller.")
        try:
            return self._zip.read(info)
        except Exception as error:  # each compression has errors of its own
            raise PhotoError(f"{name} in {self.path} cannot be unpacked ({error}).") from error
