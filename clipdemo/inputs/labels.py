"""The labels of a head, in the order of its logits."""

from collections.abc import Sequence
from dataclasses import dataclass

from clipdemo.errors import LabelError
from clipdemo.inputs.captions import clean_caption

MODES = ("image", "text", "concat")
"""What a head reads: the photo's embedding, the caption's, or both side by side."""

ALL_MODES = (*MODES, "mutan")
"""Those, and both multiplied (see `heads.MutanHead`)."""


@dataclass(frozen=True)
class LabelSet:
    """Names and table ids of the labels, in logit order.

    Names are for people; ids are the values in a label table's `Labels` column.
    """

    names: tuple[str, ...]
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.names) != len(self.ids):
            raise ValueError(f"{len(self.names)} names for {len(self.ids)} ids")
        if len(set(self.names)) != len(self.names) or len(set(self.ids)) != len(self.ids):
            raise ValueError("label names and ids must each be unique")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def index_of_id(self) -> dict[str, int]:
        """Position of each id."""
        return {label_id: i for i, label_id in enumerate(self.ids)}


COCO18 = LabelSet(
    names=(
        "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
        "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat",
        "dog", "horse",
    ),
    ids=("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "13", "14", "15", "16", "17",
         "18", "19"),
)  # fmt: skip
"""The first 19 COCO categories without id 12, which COCO does not use: the study's labels."""

MAX_NAMED = 20
LONGEST_LABEL = 60  # characters


def named_labels(names: Sequence[str]) -> LabelSet:
    """Labels with cleaned names and no ids; those that differ only in case are merged.

    Raises:
        LabelError: there is none, there are more than `MAX_NAMED`, or one is too long.
    """
    first: dict[str, str] = {}
    for name in filter(None, map(clean_caption, names)):
        first.setdefault(name.casefold(), name)
    known = tuple(first.values())
    if not known:
        raise LabelError("There is no label to look for: name at least one, such as skateboard.")
    if len(known) > MAX_NAMED:
        raise LabelError(f"{len(known)} labels are too many: name {MAX_NAMED} at most.")
    if max(map(len, known)) > LONGEST_LABEL:
        raise LabelError(f"A label may have {LONGEST_LABEL} characters at most: make it shorter.")
    return LabelSet(known, known)
