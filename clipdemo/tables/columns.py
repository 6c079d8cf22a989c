"""Which column of a table holds what: by our names, by the usual other ones, or as one is told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clipdemo.errors import TableError
from clipdemo.inputs.labels import LabelSet
from clipdemo.tables.label_values import LabelReader

COLUMNS = ("ImageID", "Labels", "Caption")
USUAL = {
    "ImageID": ("image", "images", "filename", "file", "filepath", "imagepath", "imagename", "path",
                "photo", "img", "url"),
    "Labels": ("label", "tags", "tag", "category", "categories", "class", "classes", "keywords",
               "choice", "choices", "objects"),
    "Caption": ("captions", "text", "description", "sentence"),
}  # fmt: skip
FURTHER = {
    "ImageID": ("imagefile", "imagefilename", "imagefilepath", "imageurl", "imageuri", "imgname",
                "imgpath", "imgfile", "imgid", "fname", "photoname", "photoid", "filenames",
                "filepaths", "imagepaths", "sourceref", "imagegcsuri"),
    "Labels": ("classname", "classnames", "labellist", "labelnames", "labelids", "categoryname",
               "categorynames", "taglist", "annotations", "annotation",
               "classificationannotations"),
    "Caption": ("sentences", "captiontext", "imagecaption", "alttext"),
}  # fmt: skip
"""What counts where none of the usual ones is there."""
_NO_LABELS = {
    "id", "index", "unnamed0", "confidence", "score", "regioncount", "regionid", "iscrowd",
    "difficult", "truncated", "occluded", "isoccluded", "istruncated", "isgroupof", "isdepiction",
    "isinside",
}  # fmt: skip

MOST = 50_000  # columns; to look at a million takes a minute
_MEANT = {"ImageID": "photo names", "Labels": "labels", "Caption": "captions"}


@dataclass(frozen=True)
class Columns:
    """Positions of the columns.

    Attributes:
        places: of those of `COLUMNS` that are there.
        own: of the columns that are a label each, with the label's name.
        known: whether these are known to be labels; else only those that say yes or no are.
        several: of the columns that hold one of a row's labels each, such as label_1 and label_2.
    """

    places: dict[str, int]
    own: dict[int, str] = field(default_factory=dict)
    known: bool = True
    several: dict[int, str] = field(default_factory=dict)


def find_columns(
    header: Sequence[str],
    labels: LabelSet | None,
    wanted: Mapping[str, str] | None = None,
    name: object = "The table",
    needed: Sequence[str] = ("ImageID", "Labels"),
) -> Columns:
    """Find the columns by a table's header.

    Args:
        header: the names in the file.
        labels: whose columns may hold one label each; None where they are not known.
        wanted: ours -> the file's, as somebody says.
        name: of the file, for a sentence.
        needed: ours that must be there; without labels among them none are looked for.

    Raises:
        TableError: a column that is needed is not there, or there are several candidates.
    """
    if len(header) > MOST:
        raise TableError(f"{name} has {len(header):,} columns: check what separates its fields.")
    found = {}
    several = {} if (wanted or {}).get("Labels") else _several(header)
    for ours in COLUMNS:
        if ours == "Labels" and several:
            continue
        place = _place(header, ours, (wanted or {}).get(ours), name)
        if place is not None:
            found[ours] = place
    own = {}
    if "Labels" in needed and "Labels" not in found and not several:
        own = _own_columns(header, labels, set(found.values()))
    seen = ", ".join(filter(None, header))[:160]
    for ours in needed:
        if ours not in found and not (ours == "Labels" and (own or several)):
            raise TableError(
                f"{name} has no column of {_MEANT[ours]} (found: {seen}); name it {ours}, or say "
                f"which one it is with --columns {ours}=NAME."
            )
    return Columns(found, own, labels is not None, several)


def parse_columns(text: str) -> dict[str, str]:
    """`ImageID=path,Labels=tags` as a dict.

    Raises:
        TableError: it is not of that form.
    """
    found = {}
    ours = {name.casefold(): name for name in COLUMNS}
    for part in filter(None, (part.strip() for part in text.split(","))):
        left, equals, right = part.partition("=")
        if not equals or left.strip().casefold() not in ours or not right.strip():
            raise TableError(
                f"--columns takes pairs such as ImageID=path,Labels=tags, not {part!r}."
            )
        found[ours[left.strip().casefold()]] = right.strip()
    return found


def _place(header: Sequence[str], ours: str, wanted: str | None, name: object) -> int | None:
    plain = [column.strip().casefold() for column in header]
    if wanted:
        if wanted.casefold() not in plain:
            raise TableError(
                f"{name} has no column {wanted!r} (found: {', '.join(header)[:160]}): correct "
                "--columns."
            )
        return plain.index(wanted.casefold())
    if ours.casefold() in plain:
        return plain.index(ours.casefold())
    for usual in ((ours.casefold(), *USUAL[ours]), FURTHER[ours]):
        places = [place for place, column in enumerate(plain) if _bare(column) in usual]
        if places:
            break
    if len(places) > 1:
        candidates = " or ".join(header[place] for place in places)
        raise TableError(
            f"{name} has several columns that may be {ours} ({candidates}): say which one with "
            f"--columns {ours}={header[places[0]]}."
        )
    return places[0] if places else None


def _several(header: Sequence[str]) -> dict[int, str]:
    """Columns of labels that are named alike but for a number, or not even that."""
    bare = [_bare(column) for column in header]
    stems = {place: name.rstrip("0123456789") for place, name in enumerate(bare)}
    found = {p: stem for p, stem in stems.items() if stem in ("labels", *USUAL["Labels"])}
    alike = len(set(found.values())) == 1
    if not alike or (len(found) == 1 and bare == list(stems.values())):
        return {}
    return {place: header[place].strip() for place in found}


def is_one(name: str) -> bool:
    """Whether a column of labels holds one for each row, by its name."""
    return _bare(name) in ("label", "class", "category", "choice", "classname", "categoryname")


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _own_columns(header: Sequence[str], labels: LabelSet | None, taken: set[int]) -> dict[int, str]:
    """Columns that are a label each: by their names, or all that are left where none is known."""
    left = {place: name.strip() for place, name in enumerate(header) if place not in taken}
    if labels is None:
        return {
            place: name for place, name in left.items() if name and _bare(name) not in _NO_LABELS
        }
    reader = LabelReader(labels)
    return {place: name for place, name in left.items() if reader.id_of(name) is not None}
