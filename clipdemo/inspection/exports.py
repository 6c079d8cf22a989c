"""Labels of photos as `.txt` files, as keywords in copies, or as a folder per label."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from clipdemo.errors import ClipdemoError, PhotoError
from clipdemo.inputs.atomic import atomic_write
from clipdemo.inputs.labels import ALL_MODES
from clipdemo.inspection.batch import photo_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clipdemo.inspection.batch import Item, Result, Sources
    from clipdemo.inspection.batch_files import Rule

NOTHING = "no label"  # folder of photos without any label


@dataclass(frozen=True)
class Exports:
    """Folders to write to; None for none.

    Attributes:
        tags: for a `.txt` per photo, with its labels separated by commas.
        keywords: for copies of the photos with their labels as keywords (XMP `dc:subject`, and
            IPTC if the format has it).
        folders: for a folder per label, with copies of the photos that have it.
        link: whether to link in `folders` instead of copying, if the photo is not in an archive.
        twins: names without extension that several photos have, see `telling_apart`.
    """

    tags: Path | None = None
    keywords: Path | None = None
    folders: Path | None = None
    link: bool = False
    twins: frozenset[PurePosixPath] = field(default=frozenset(), repr=False)

    def write(self, results: Iterable[Result], rule: Rule, sources: Sources) -> list[str]:
        """Write the exports of results with a photo; returns a sentence for each that failed.

        Raises:
            ClipdemoError: keywords are wanted, but pyexiv2 is not installed.
            OSError: a folder cannot be written.
        """
        if not (self.tags or self.keywords or self.folders):
            return []
        problems = []
        for result in results:
            if result.item.file is None or result.problem is not None:
                continue
            found, name = labels_of(result, rule), _safe(result.item.name)
            if self.tags:
                _put(self.tags / self._tag(name), (", ".join(found) + "\n").encode())
            try:
                if self.keywords:
                    data = with_keywords(photo_of(result.item, sources), found)
                    _put(self.keywords / name, data)
                for label in (found or [NOTHING]) if self.folders else ():
                    self._sort(result, self.folders / _part(label) / name, sources)
            except PhotoError as error:
                problems.append(f"{result.item.name}: {error}")
        return problems

    def among(self, paths: Iterable[Path]) -> Callable[[Path], bool]:
        """Tells which files below these inputs, by their absolute paths, are exports.

        Raises:
            ClipdemoError: copies of photos would be written next to the photos.
        """
        inputs = [path.resolve() for path in paths]
        folders = [folder.resolve() for folder in (self.keywords, self.folders) if folder]
        for folder in folders:
            if folder in inputs:
                raise ClipdemoError(
                    f"{folder} is the folder of the photos: choose another one to write to."
                )
        below = [f for f in folders if any(f.is_relative_to(path) for path in inputs)]
        tags = self.tags and self.tags.resolve()

        def is_export(path: Path) -> bool:
            is_tag = tags and path.suffix == ".txt" and path.is_relative_to(tags)
            return is_tag or any(path.is_relative_to(folder) for folder in below)

        return is_export

    def telling_apart(self, items: Iterable[Item]) -> Exports:
        """The same, with the `.txt` of photos that differ only in their extension told apart."""
        stems = Counter(_safe(item.name).with_suffix("") for item in items if item.file)
        return replace(self, twins=frozenset(stem for stem, times in stems.items() if times > 1))

    def _tag(self, name: PurePosixPath) -> PurePosixPath:
        if name.with_suffix("") in self.twins:
            return name.with_name(f"{name.name}.txt")
        return name.with_suffix(".txt")

    def _sort(self, result: Result, place: Path, sources: Sources) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        item = result.item
        own = item.file if item.member is None else item.file / item.member
        if own.is_file() and self.link:
            place.symlink_to(os.path.relpath(own.resolve(), place.parent.resolve()))
        elif own.is_file():
            shutil.copy2(own, place)
        else:
            _put(place, photo_of(item, sources))


def labels_of(result: Result, rule: Rule) -> list[str]:
    """The labels of the mode that reads the most inputs."""
    order = sorted(result.prediction.scores, key=("image", "text", *ALL_MODES[2:]).index)
    return result.prediction.labels(order[-1], **vars(rule)) if order else []


def with_keywords(data: bytes, keywords: list[str]) -> bytes:
    """A photo's file with these keywords added; its pixels and other metadata stay.

    Raises:
        ClipdemoError: pyexiv2 is not installed.
        PhotoError: the format does not support keywords.
    """
    try:
        import pyexiv2
    except (ImportError, OSError) as error:
        raise ClipdemoError(
            "Keywords are written by pyexiv2, which is not installed: run `pip install pyexiv2`."
        ) from error
    try:
        with pyexiv2.ImageData(data) as image:
            before = image.read_xmp().get("Xmp.dc.subject", [])
            image.modify_xmp({"Xmp.dc.subject": list(dict.fromkeys([*before, *keywords]))})
            if image.get_mime_type() in ("image/jpeg", "image/tiff", "image/png"):
                before = image.read_iptc().get("Iptc.Application2.Keywords", [])
                before = [before] if isinstance(before, str) else before
                all_of_them = list(dict.fromkeys([*before, *keywords]))
                image.modify_iptc({"Iptc.Application2.Keywords": all_of_them})
            return image.get_bytes()
    except RuntimeError as error:
        raise PhotoError(
            f"Its format does not support keywords ({str(error)[:80]}): save it as JPEG."
        ) from error


def _safe(name: str) -> PurePosixPath:
    """A photo's name as a path that stays below a folder."""
    parts = [_part(part) for part in name.replace("\\", "/").split("/")]
    return PurePosixPath(*[part for part in parts if part] or ["photo"])


def _part(name: str) -> str:
    name = "".join("_" if c in '\0:*?"<>|/\\' or ord(c) < 32 else c for c in name).strip(" .")
    return name[:120]


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as partial:
        partial.write_bytes(data)
