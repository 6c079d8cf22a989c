"""Finding the columns of a table: by our names, by other usual ones, or as given by the user."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from clipdemo.errors import TableError
from clipdemo.inputs.labels import LabelSet
from clipdemo.inputs.photo_names import is_photo
from clipdemo.tables.column_names import (
    FOLDERS,
    FURTHER,
    LIKE_LABELS,
    NAMES,
    NAMING,
    NO_COUNTS,
    NO_LABELS,
    OF_OTHERS,
    ONE,
    SCORES,
    USUAL,
    USUAL_PHOTOS,
    VAGUE,
    VERDICTS,
    WEAK,
)
from clipdemo.tables.label_names import LabelReader

COLUMNS = ("ImageID", "Labels", "Caption")
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
        doubts: of the columns with the score of a row's label, or whether it is true.
        scores: of the columns with the scores of those in `several`.
        photos: all that may have the photo's name, if there are several.
        unclear: the error if the rows do not show which of these has it.
        folder: of the column with the photo's folder; None for none.
        named: of those that may have the names of labels that are numbers.
        weak: whether the column of labels is one only if there are none of yes and no.
    """

    places: dict[str, int]
    own: dict[int, str] = field(default_factory=dict)
    known: bool = True
    several: dict[int, str] = field(default_factory=dict)
    doubts: tuple[int, ...] = ()
    scores: dict[int, int] = field(default_factory=dict)
    photos: tuple[int, ...] = ()
    unclear: TableError | None = None
    folder: int | None = None
    named: tuple[int, ...] = ()
    weak: bool = False

    @property
    def used(self) -> list[int]:
        """The positions of all columns whose cells are looked at."""
        found = {*self.places.values(), *self.own, *self.several, *self.doubts, *self.photos}
        return sorted((found | {*self.scores.values(), *self.named, self.folder}) - {None})


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
    photos = [] if wanted.get("ImageID") else _photo_columns(header)
    for ours in COLUMNS:
        if ours == "Labels" and several:
            continue
        if ours == "ImageID" and photos:
            found[ours] = photos[0]
            continue
        place = _place(header, ours, wanted.get(ours), name)
        if place is not None:
            found[ours] = place
    of_file = next((p for p, n in enumerate(header) if _bare(n) == "fileattributes"), None)
    if of_file is not None:  # the VGG Image Annotator's, with labels or a caption
        found.setdefault("Caption", of_file)
        if "Labels" in found and not wanted.get("Labels"):
            several = {p: header[p] for p in (of_file, found.pop("Labels"))}
    taken = {*found.values(), *photos}
    folder = _first(header, FOLDERS, taken)
    taken |= {folder} - {None}
    own, weak = {}, None
    if "Labels" in needed and "Labels" not in found and not several:
        own = _own_columns(header, labels, taken)
        weak = _place(header, "Labels", None, name, WEAK)
        if {"annotator", "leadtime"} <= set(map(_bare, header)):  # Label Studio's
            controls = _own_columns(header, None, taken)
            if len(controls) == 1:
                found["Labels"], own, weak = next(iter(controls)), {}, None
        if weak is not None and (labels is None or not own):
            found["Labels"] = weak
            own.pop(weak, None)
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
    usual = [place for place in photos if is_usual_photo(header[place])] or photos
    doubts = _doubts(header, "Caption" in found, taken) if "Labels" in found else ()
    return Columns(
        found,
        own,
        labels is not None,
        several,
        doubts,
        _scores(header, several),
        tuple(photos) if len(photos) > 1 else (),
        _which(header, "ImageID", usual, name) if len(usual) > 1 else None,
        folder,
        _named(header, taken | set(doubts)) if "Labels" in found else (),
        weak is not None and bool(own),
    )


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


def _photo_columns(header: Sequence[str]) -> list[int]:
    """Columns that may have the photo's name, the usual ones first."""
    bare = [_bare(column) for column in header]
    plain = [column.strip().casefold() for column in header]
    exact = plain.index("imageid") if "imageid" in plain else _first(header, ("sourcefile",))
    if exact is not None:
        return [exact]
    usual = [place for place, column in enumerate(header) if is_usual_photo(column)]
    return usual + [place for place, column in enumerate(bare) if column in FURTHER["ImageID"]]


def _first(header: Sequence[str], names: Iterable[str], taken: Container[int] = ()) -> int | None:
    """The column with the first of these names that is there."""
    bare = {_bare(header[p]): p for p in reversed(range(len(header))) if p not in taken}
    return next((bare[name] for name in names if name in bare), None)


def _doubts(header: Sequence[str], captions: bool, taken: set[int]) -> tuple[int, ...]:
    """Columns that say whether a row's label is true; next to captions, scores may be theirs."""
    score = _first(header, [n for n in SCORES if not (captions and n == "score")], taken)
    said = [p for p, n in enumerate(header) if _bare(n) in VERDICTS and p not in taken]
    return (*said, *(() if score is None else (score,)))


def _scores(header: Sequence[str], several: Mapping[int, str]) -> dict[int, int]:
    """The column of scores for each of several columns of labels: score_1 for label_1."""
    found = {}
    for place, name in several.items():
        bare = _bare(name)
        number = bare[len(bare.rstrip("0123456789")) :]
        named = [n for score in SCORES for n in (score + number, bare + score)]
        score = _first(header, named, {place}) if number else None
        found |= {} if score is None else {place: score}
    return found


def _named(header: Sequence[str], taken: set[int]) -> tuple[int, ...]:
    """Columns that may have the names of labels that are numbers in their own column."""
    words = {place: set(_words(name)) for place, name in enumerate(header) if place not in taken}
    return tuple(p for p, said in words.items() if said & NAMING and not said & OF_OTHERS)


def _place(
    header: Sequence[str],
    ours: str,
    wanted: str | None,
    name: object,
    further: Sequence[str] | None = None,
) -> int | None:
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
    for usual in (further,) if further else ((ours.casefold(), *USUAL[ours]), FURTHER[ours]):
        places = [place for place, column in enumerate(plain) if _bare(column) in usual]
        if places:
            break
    if ours == "Labels" and places and _bare(header[places[0]]) not in NAMES:
        # Next to their names, these are indices.
        named = [place for place, column in enumerate(plain) if _bare(column) in NAMES]
        places = named or places
    if ours == "Caption" and not places:  # caption_1, caption_2, ...
        stems = ("caption", *USUAL[ours])
        numbered = (p for p, column in enumerate(plain) if _bare(column).rstrip("01") in stems)
        places = list(numbered)[:1]
    if len(places) > 1:
        raise _which(header, ours, places, name)
    return places[0] if places else None


def _which(header: Sequence[str], ours: str, places: Sequence[int], name: object) -> TableError:
    candidates = " or ".join(header[place] for place in places)
    return TableError(
        f"{name} has several columns that may be {ours} ({candidates}): choose one with "
        f"--columns {ours}={header[places[0]]}."
    )


def _several(header: Sequence[str]) -> dict[int, str]:
    """Columns of labels whose names are equal, or differ only by a number."""
    bare = [_bare(column) for column in header]
    stems = {place: name.rstrip("0123456789") for place, name in enumerate(bare)}
    usual = {p: stem for p, stem in stems.items() if stem in ("labels", *USUAL["Labels"])}
    found = usual or {p: stem for p, stem in stems.items() if stem in ("keyword", "object")}
    alike = len(set(found.values())) == 1
    if not alike or (len(found) == 1 and bare == list(stems.values())):
        return {}
    return {place: header[place].strip() for place in found}


def is_usual_photo(name: str) -> bool:
    """Whether a column usually has the photos' names, judging by its own."""
    return _bare(name) in USUAL_PHOTOS


def is_one(name: str) -> bool:
    """Whether a column of labels has one per row, judging by its name."""
    return _bare(name) in ONE


def is_vague(name: str) -> bool:
    """Whether a column that may have labels may also have something else, judging by its name."""
    return _bare(name) in VAGUE


def may_be_counts(name: str) -> bool:
    """Whether a column's small numbers may be counts of objects, judging by its name."""
    return not set(_words(name)) & (NO_COUNTS | OF_OTHERS)


def is_like_labels(name: str) -> bool:
    """Whether a column has labels, judging by its name, such as given_label."""
    return any(map(LIKE_LABELS.fullmatch, _words(name))) and not is_of_others(name)


def is_of_others(name: str) -> bool:
    """Whether a column is about something else than labels, judging by its name."""
    return bool(OF_OTHERS & set(_words(name)))


def _words(name: str) -> list[str]:
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+", name)
    return [word.casefold() for word in found]


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _own_columns(header: Sequence[str], labels: LabelSet | None, taken: set[int]) -> dict[int, str]:
    """Columns for one label each: by their names, or all remaining ones if none is known."""
    left = {place: name.strip() for place, name in enumerate(header) if place not in taken}
    if labels is None:
        own = {place: name for place, name in left.items() if name and _bare(name) not in NO_LABELS}
        prefixes = [_PREFIX.match(name) for name in own.values()]  # of pandas' get_dummies
        if all(prefixes) and len({match[0] for match in prefixes}) == 1:
            return {place: _PREFIX.sub("", name, count=1) for place, name in own.items()}
        return own
    reader = LabelReader(labels)
    bare = {place: _PREFIX.sub("", name, count=1) for place, name in left.items()}
    return {place: name for place, name in bare.items() if reader.id_of(name) is not None}
