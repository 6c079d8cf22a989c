"""Finding the columns of a table: by our names, by other usual ones, or as given by the user."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from clipdemo.errors import TableError
from clipdemo.inputs.labels import LabelSet
from clipdemo.inputs.photo_names import is_photo
from clipdemo.tables.label_names import LabelReader

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
                "filepaths", "imagepaths", "sourceref", "imagegcsuri", "sourcefile", "imageindex",
                "externalid"),
    "Labels": ("classname", "classnames", "labelname", "labellist", "labelnames", "labelids",
               "categoryname", "categorynames", "taglist", "annotations", "annotation",
               "classificationannotation", "classificationannotations", "boundingboxannotations",
               "regions", "regionattributes", "taxonomy", "findinglabels"),
    "Caption": ("sentences", "captiontext", "imagecaption", "alttext"),
}  # fmt: skip
"""Names that are used if none of the usual ones is there."""
_NO_LABELS = {
    "id", "index", "unnamed0", "confidence", "score", "regioncount", "regionid", "iscrowd",
    "difficult", "truncated", "occluded", "isoccluded", "istruncated", "isgroupof", "isdepiction",
    "isinside", "isvalid", "fold", "split", "subset", "dataset", "annotator", "annotationid",
    "createdat", "updatedat", "leadtime", "width", "height", "imagewidth", "imageheight", "area",
    "bboxx", "bboxy", "bboxwidth", "bboxheight", "xmin", "xmax", "ymin", "ymax", "unlabeled",
}  # fmt: skip
_NAMES = ("labelname", "labelnames", "classname", "classnames", "categoryname", "categorynames")
_DOUBTS = {"confidence", "score", "probability", "present", "ispresent", "answer"}
_FIELD = re.compile(r"ground_truth|.+\.label")
_PREFIX = re.compile(r"(labels?|tags?|class(?:es)?|category|categories|has|is)[_.]", re.IGNORECASE)

MOST = 50_000  # columns; examining a million takes a minute
_MEANT = {"ImageID": "photo names", "Labels": "labels", "Caption": "captions"}


@dataclass(frozen=True)
class Columns:
    """Positions of the columns.

    Attributes:
        places: of those in `COLUMNS` that are present.
        own: of the columns for one label each, with the label's name.
        known: whether these are known to be labels; else only those with yes or no are.
        several: of the columns with one of a row's labels each, such as label_1 and label_2.
        doubt: of the column with the score of a row's label, or whether it is true; None for none.
    """

    places: dict[str, int]
    own: dict[int, str] = field(default_factory=dict)
    known: bool = True
    several: dict[int, str] = field(default_factory=dict)
    doubt: int | None = None


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
        labels: those that may have a column each; None if they are not known.
        wanted: ours -> the file's, as given by the user.
        name: of the file, for error messages.
        needed: ours that must be there; labels are searched for only if they are among them.

    Raises:
        TableError: a needed column is missing, or there are several candidates.
    """
    if len(header) > MOST:
        raise TableError(f"{name} has {len(header):,} columns: check what separates its fields.")
    wanted = wanted or {}
    found = {}
    several = {} if wanted.get("Labels") else _several(header)
    for ours in COLUMNS:
        if ours == "Labels" and several:
            continue
        place = _place(header, ours, wanted.get(ours), name)
        if place is not None:
            found[ours] = place
    of_file = next((p for p, n in enumerate(header) if _bare(n) == "fileattributes"), None)
    if of_file is not None:  # the VGG Image Annotator's, with labels or a caption
        found.setdefault("Caption", of_file)
        if "Labels" in found and not wanted.get("Labels"):
            several = {p: header[p] for p in (of_file, found.pop("Labels"))}
    own = {}
    if "Labels" in needed and "Labels" not in found and not several:
        own = _own_columns(header, labels, set(found.values()))
        if {"annotator", "leadtime"} <= set(map(_bare, header)):  # Label Studio's
            controls = _own_columns(header, None, set(found.values()))
            if len(controls) == 1:
                found["Labels"], own = next(iter(controls)), {}
    about_captions = {"score"} if "Caption" in found else set()
    doubts = [p for p, n in enumerate(header) if _bare(n) in _DOUBTS - about_captions]
    doubt = doubts[0] if "Labels" in found and len(doubts) == 1 else None
    seen = ", ".join(filter(None, header))[:160]
    for ours in needed:
        if ours not in found and not (ours == "Labels" and (own or several)):
            if any(is_photo(word) for cell in header for word in cell.split()):
                raise TableError(
                    f"{name} has no header, and its first line is a row ({seen}): add a line such "
                    "as ImageID,Labels above it."
                )
            raise TableError(
                f"{name} has no column of {_MEANT[ours]} (found: {seen}); name it {ours}, or say "
                f"which one it is with --columns {ours}=NAME."
            )
    return Columns(found, own, labels is not None, several, doubt)


def parse_columns(text: str) -> dict[str, str]:
    """`ImageID=path,Labels=tags` as a dict.

    Raises:
        TableError: it does not have that form.
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
    if ours == "Labels":  # FiftyOne's, whose tags are not labels
        fields = [place for place, column in enumerate(plain) if _FIELD.fullmatch(column)]
        truth = [place for place in fields if plain[place].startswith("ground_truth")]
        if len(truth or fields) == 1:
            return (truth or fields)[0]
    for usual in ((ours.casefold(), *USUAL[ours]), FURTHER[ours]):
        places = [place for place, column in enumerate(plain) if _bare(column) in usual]
        if places:
            break
    if ours == "Labels" and places and _bare(header[places[0]]) not in _NAMES:
        # Next to their names, these are indices.
        named = [place for place, column in enumerate(plain) if _bare(column) in _NAMES]
        places = named or places
    if ours == "Caption" and not places:  # caption_1, caption_2, ...
        stems = ("caption", *USUAL[ours])
        numbered = (p for p, column in enumerate(plain) if _bare(column).rstrip("01") in stems)
        places = list(numbered)[:1]
    if len(places) > 1:
        candidates = " or ".join(header[place] for place in places)
        raise TableError(
            f"{name} has several columns that may be {ours} ({candidates}): choose one with "
            f"--columns {ours}={header[places[0]]}."
        )
    return places[0] if places else None


def _several(header: Sequence[str]) -> dict[int, str]:
    """Columns of labels whose names are equal, or differ only by a number."""
    bare = [_bare(column) for column in header]
    stems = {place: name.rstrip("0123456789") for place, name in enumerate(bare)}
    found = {p: stem for p, stem in stems.items() if stem in ("labels", *USUAL["Labels"])}
    alike = len(set(found.values())) == 1
    if not alike or (len(found) == 1 and bare == list(stems.values())):
        return {}
    return {place: header[place].strip() for place in found}


def is_one(name: str) -> bool:
    """Whether a column of labels has one per row, judging by its name."""
    return _bare(name) in ("label", "class", "category", "choice", "classname", "categoryname")


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _own_columns(header: Sequence[str], labels: LabelSet | None, taken: set[int]) -> dict[int, str]:
    """Columns for one label each: by their names, or all remaining ones if none is known."""
    left = {place: name.strip() for place, name in enumerate(header) if place not in taken}
    if labels is None:
        own = {
            place: name for place, name in left.items() if name and _bare(name) not in _NO_LABELS
        }
        prefixes = [_PREFIX.match(name) for name in own.values()]  # of pandas' get_dummies
        if all(prefixes) and len({match[0] for match in prefixes}) == 1:
            return {place: _PREFIX.sub("", name, count=1) for place, name in own.items()}
        return own
    reader = LabelReader(labels)
    bare = {place: _PREFIX.sub("", name, count=1) for place, name in left.items()}
    return {place: name for place, name in bare.items() if reader.id_of(name) is not None}
