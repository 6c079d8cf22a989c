"""Score many photos and captions, a few at a time, so that an interruption loses little.

    items, *_ = gather([Path("photos.zip")])
    for results in predict_items(classifier, items):
        ...  # each has its item, its prediction, and any problem with its photo

Importing this module loads no torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from clipdemo.errors import ClipdemoError, PhotoError, TableError
from clipdemo.inputs.ahead import ahead, cores
from clipdemo.inputs.captions import clean_caption
from clipdemo.inputs.images import read_photo
from clipdemo.inputs.photo_files import photo_bytes
from clipdemo.inputs.photo_names import PhotoNames, is_photo
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.tables.account import Account
from clipdemo.tables.captions_csv import read_captions

if TYPE_CHECKING:
    from PIL import Image

    from clipdemo.model.captioners.captioner import Captioner
    from clipdemo.model.classifier import Classifier, Prediction
    from clipdemo.model.embeddings import CutPhoto

CHUNK = 8  # results that are yielded together
PACKED = (".zip", ".tar")
Sources = dict[Path, PhotoSource]  # folders and archives that are already open
TABLES = ("csv", "tsv", "jsonl", "json", "xlsx", "parquet")
SMALL_TABLES = ("csv", "tsv", "jsonl")  # formats without compression
TABLE_BYTES = 2 * 2**20  # of one of these at most
UNPACKED = (b"PK\3\4", b"PAR1", b"\xd0\xcf\x11\xe0")  # starts of those that may unpack to anything


@dataclass(frozen=True)
class Item:
    """A photo and/or a caption to score.

    Attributes:
        name: of the photo, from its file or the table.
        caption: as given; "" for none.
        file: the photo's file, or the folder, zip or tar that contains it; None without a photo.
        member: its name in there.
        problem: one sentence on why there is no photo although the table names one.
    """

    name: str
    caption: str = ""
    file: Path | None = None
    member: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Result:
    """The prediction for an item.

    Attributes:
        item: what was scored.
        caption: its cleaned caption, or a model's; None without one.
        written: whether a model wrote the caption.
        prediction: without scores if neither photo nor caption could be used.
        problem: one sentence on why the photo could not be used, or None.
        notice: one sentence on a flaw of a photo that was used, or None.
        photo: the photo, perhaps at reduced size (`read_photo`).
    """

    item: Item
    caption: str | None
    written: bool
    prediction: Prediction
    problem: str | None
    notice: str | None
    photo: Image.Image | None = field(repr=False)


class Gathered(NamedTuple):
    """The items to score, sentences about other files, and the account of the table, if any."""

    items: list[Item]
    notices: list[str]
    account: Account | None


def gather(
    paths: Sequence[Path],
    table: Path | None = None,
    limit: int | None = None,
    sources: Sources | None = None,
    is_output: Callable[[Path], bool] = lambda path: False,
    **reading,
) -> Gathered:
    """The items to score, and sentences about what is left out.

    Args:
        paths: photo files, folders, zips and tars; if empty, the table's captions alone. A table
            inside one of them is used if none is given; other files there, by their name no
            photos, are skipped unless a row names them.
        table: photo names and captions; if given, its rows are the items, each with its photo.
        limit: maximum number of items; also refuses tables that may unpack to more, for visitors.
        sources: opened folders and archives are added here, for `predict_items`.
        is_output: whether a file, by its absolute path, was written by an earlier run, and is
            therefore ignored.
        reading: columns and strict, passed to `read_captions`.

    Raises:
        TableError: a table or an archive cannot be read.
        ClipdemoError: there is nothing to score.
    """
    sources = {} if sources is None else sources
    inputs = {path: _inputs(path, sources, is_output) for path in paths if _is_packed(path)}
    photos = []
    for path in paths:
        names = inputs.get(path, [])
        photos += [Item(n, file=path, member=n) for n in names if not _is_table(n)]
        photos += [] if path in inputs else [Item(path.name, file=path)]
    photos = _told_apart(photos) if limit is None else photos
    account = None
    kinds = TABLES if limit is None else SMALL_TABLES
    among = _table_among(inputs, sources, kinds) if table is None else nullcontext(table)
    with among as table:
        if table is None:
            items = [photo for photo in photos if _is_photo(photo)]
        else:
            if limit is not None:
                _check_unpacked(table)
            rows, account = read_captions(table, None if limit is None else limit + 1, **reading)
            items = _rows(rows, photos, bool(paths), account)
    if not items:
        raise ClipdemoError("There is nothing to score: give photos, or a table with captions.")
    notices = _passed_over(inputs, items, table is not None)
    if limit is not None and len(items) > limit:
        notices.append(
            f"Only the first {limit:,} are scored here: python -m clipdemo batch takes any number."
        )
    return Gathered(items[:limit], notices, account)


def _passed_over(inputs: Mapping[Path, list[str]], items: list[Item], has_table: bool) -> list[str]:
    """A sentence about the files in folders and archives that are neither photos nor a table."""
    used = {(item.file, item.member) for item in items}
    others = [
        name
        for path, names in inputs.items()
        for name in names
        if not is_photo(name) and (path, name) not in used
        if not (has_table and _is_table(name)) and not (path.is_dir() and name.endswith(".tar"))
    ]
    if len(others) < 2:
        return [f"1 other file was skipped: {name[:80]}." for name in others]
    return [f"{len(others):,} other files were skipped, such as {others[0][:80]}."]


def _is_photo(item: Item) -> bool:
    """Whether it is a photo by its name, or was given by itself."""
    return item.member is None or is_photo(item.member)


def _check_unpacked(table: Path) -> None:
    """Raises ClipdemoError for a workbook or Parquet, whatever its name."""
    with table.open("rb") as file:
        if file.read(4) in UNPACKED:
            raise ClipdemoError(
                "The table is a workbook or Parquet, which cannot be read here: save it as CSV."
            )


def _is_packed(path: Path) -> bool:
    return path.is_dir() or path.suffix.lower() in PACKED


def _inputs(path: Path, sources: Sources, is_output: Callable[[Path], bool]) -> list[str]:
    """The names in a folder or archive, without what earlier runs wrote there."""
    place = path.resolve()
    return [name for name in _opened(path, sources).names if not is_output(place / name)]


def _told_apart(photos: list[Item]) -> list[Item]:
    """The photos, those of the same name with as many of their folders as tell them apart."""
    places = {(p.file / (p.member or "")).absolute(): p for p in photos}  # each file once
    for depth in range(2, 32):
        times = Counter(photo.name for photo in places.values())
        for place, photo in places.items() if len(times) < len(places) else ():
            if times[photo.name] > 1:
                places[place] = replace(photo, name="/".join(place.parts[1:][-depth:]))
    return list(places.values())


def _is_table(name: str, kinds: Sequence[str] = TABLES) -> bool:
    return name.rpartition(".")[2].lower() in kinds


@contextmanager
def _table_among(
    inputs: Mapping[Path, list[str]], sources: Sources, kinds: Sequence[str]
) -> Iterator[Path | None]:
    """The table inside the folders and archives; None if there is none, or several.

    If only `SMALL_TABLES` are accepted, its size is limited as well: anybody may have sent it.
    """
    found = [
        (path, name) for path, names in inputs.items() for name in names if _is_table(name, kinds)
    ]
    if len(found) != 1:
        yield None
        return
    ((path, name),) = found
    data = sources[path].read(name)
    if kinds == SMALL_TABLES and len(data) > TABLE_BYTES:
        raise ClipdemoError(
            f"The table {name} is larger than {TABLE_BYTES // 2**20} MB: make it smaller."
        )
    with TemporaryDirectory() as folder:
        copy = Path(folder, f"table.{name.rpartition('.')[2].lower()}")
        copy.write_bytes(data)
        try:
            yield copy
        except TableError as error:  # it names the copy
            raise TableError(str(error).replace(str(copy), name[:80])) from error


def _rows(
    rows: list[tuple[str, str]], photos: list[Item], wanted: bool, account: Account
) -> list[Item]:
    """The table's rows, each with its photo if photos are `wanted`."""
    names = PhotoNames(photo.name for photo in photos)
    by_name = {photo.name: photo for photo in reversed(photos)}
    items, used = [], set()
    for name, caption in rows:
        photo, problem = Item(name), None
        if wanted:
            try:
                file, took = names.find(name)
                photo = by_name[file]
                used.add(file)
                account.repaired.update([f"photos matched without {took}"] if took else [])
            except PhotoError as error:
                problem = str(error)
        items.append(Item(name, caption, photo.file, photo.member, problem))
    if wanted:
        account.photos_without_row = sum(
            _is_photo(photo) and name not in used for name, photo in by_name.items()
        )
    return items


def predict_items(
    classifier: Classifier,
    items: Sequence[Item],
    captioner: Captioner | None = None,
    sources: Sources | None = None,
) -> Iterator[list[Result]]:
    """Results in the order of the items, `CHUNK` at a time; a bad photo affects only its own.

    With a captioner, photos without a caption get one; `sources` are those of `gather`.

    Raises:
        ClipdemoError: the classifier or the captioner cannot run.
    """
    size, sources = classifier.backbone.image_size, {} if sources is None else sources
    for path in {item.file: None for item in items if item.member is not None}:
        _opened(path, sources)

    def read(item: Item) -> tuple[Image.Image | None, CutPhoto | None, str | None]:
        try:
            data = photo_of(item, sources)
            photo = None if data is None else read_photo(data, size)
            return photo, photo and classifier.cut(photo), item.problem
        except PhotoError as error:
            return None, None, str(error)

    found = ahead(read, items, cores(), CHUNK)
    for start in range(0, len(items), CHUNK):
        part = items[start : start + CHUNK]
        photos, cut, problems = zip(*islice(found, len(part)), strict=True)
        captions = [clean_caption(item.caption) for item in part]
        written = [False] * len(part)
        for i, photo in enumerate(photos if captioner else ()):
            if captions[i] is None and photo is not None:
                captions[i] = next(iter(captioner.suggest(photo, 1)), None)
                written[i] = captions[i] is not None
        predictions = classifier.predict_batch(cut, captions)
        notices = [photo and photo.info.get("notice") for photo in photos]
        columns = part, captions, written, predictions, problems, notices, photos
        yield [Result(*fields) for fields in zip(*columns, strict=True)]


def photo_of(item: Item, sources: Sources) -> bytes | None:
    """The bytes of an item's photo, or None without one; archives it opens go into `sources`.

    Raises:
        PhotoError: it cannot be read.
    """
    if item.file is None:
        return None
    if item.member is None:
        return photo_bytes(item.file)
    return _opened(item.file, sources).read(item.member)


def _opened(path: Path, sources: Sources) -> PhotoSource:
    if path not in sources:
        sources[path] = PhotoSource(path)
    return sources[path]
