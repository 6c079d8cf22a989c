"""Heads on disk: weights as safetensors, and everything else in `card.json`."""

import hashlib
import json
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path

from clipdemo.errors import CheckpointError, reason
from clipdemo.hub.catalog import CHECKPOINTS
from clipdemo.hub.heads import PREFIX, fetch_heads
from clipdemo.inputs.atomic import atomic_write
from clipdemo.inputs.labels import ALL_MODES, MODES, LabelSet

CARD = "card.json"
WIDEST = 2**16  # units of a hidden layer


def slug(backbone: str) -> str:
    """Folder name of a backbone id."""
    return "".join(c if c.isalnum() or c in "-._" else "_" for c in backbone)


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Card:
    """What `card.json` says about a folder of heads; reading it needs no torch.

    Zero-shot heads have a card too, but no folder.
    """

    folder: Path | None
    content: dict

    @property
    def kind(self) -> str:
        """`trained` or `zero-shot`."""
        return self.content.get("kind", "trained")

    @property
    def backbone(self) -> str:
        return self.content["backbone"]

    @property
    def labels(self) -> LabelSet:
        return LabelSet(tuple(self.content["labels"]), tuple(self.content["label_ids"]))

    @property
    def modes(self) -> dict[str, dict]:
        return self.content["modes"]

    @property
    def digest(self) -> str:
        """Hex digest of everything that scores and decisions depend on."""
        parts = {name: self.content.get(name) for name in ("backbone", "modes", "files")}
        text = json.dumps(parts | vars(self.labels), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def read_card(folder: Path) -> Card:
    """Read and check a folder's card; the weights are not touched.

    Raises:
        CheckpointError: there is no card, or it is damaged or incomplete.
    """
    path = folder / CARD
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise CheckpointError(
            f"{folder} holds no {CARD}: train heads for it with `python -m clipdemo train`."
        ) from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}): train the heads again.") from None
    card = Card(folder, content)
    try:
        _check(card)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path} is incomplete ({error}): train the heads again.") from None
    return card


def _check(card: Card) -> None:
    """Raise one of many errors if a card is incomplete or contradicts itself.

    `load_heads` checks the shapes of the heads.
    """
    content, labels = card.content, len(card.labels)
    texts = (*content["labels"], *content["label_ids"], content.get("summary", ""))
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("its labels or its summary are not text")
    if not isinstance(card.backbone, str) or not isinstance(content["files"], dict):
        raise ValueError("its backbone or files are wrong")
    for mode, entry in card.modes.items():
        width = content["width"] * (1 if mode in ("image", "text") else 2)
        if mode not in ALL_MODES or entry["inputs"] != width or not isinstance(entry["file"], str):
            raise ValueError(f"mode {mode}, its inputs or its file are wrong")
        lines = [entry["thresholds"], *entry.get("recall", {}).values()]
        if not all(len(line) == labels and all(map(isfinite, line)) for line in lines):
            raise ValueError("its thresholds are wrong")
        if not 0 < entry["temperature"] < inf:
            raise ValueError("its temperature is wrong")
        widths = [w for key in entry if key.endswith("hidden") for w in entry[key]]
        if not all(isinstance(width, int) and 0 < width <= WIDEST for width in widths):
            raise ValueError("its hidden layers are wrong")
    measured = content.get("metrics", {}).get("photos")
    if measured and not all(isfinite(found["map"]) for found in measured["modes"].values()):
        raise ValueError("its metrics are wrong")
    if "fit" in content:
        line = content["fit"]["matching"]  # percentiles 0 to 100
        if len(line) != 101 or not all(map(isfinite, line)):
            raise ValueError("its fit of photos and captions is wrong")


def at_recall(thresholds: dict, recall: float):
    """The thresholds for one recall, from those of a mode by recall.

    Raises:
        CheckpointError: there are none, or none for this recall.
    """
    if not thresholds:
        raise CheckpointError(
            "These heads have no thresholds for a recall: run `python -m clipdemo calibrate` on "
            "them, or use another rule."
        )
    if f"{recall:.2f}" not in thresholds:
        raise CheckpointError(
            f"These heads have no thresholds for the recall {recall:g}: choose one of "
            f"{', '.join(thresholds)}."
        )
    return thresholds[f"{recall:.2f}"]


def zero_shot_card(backbone: str, labels: LabelSet) -> Card:
    """The card of zero-shot heads for the three modes: every threshold is 0.5."""
    entry = {"temperature": 1.0, "thresholds": [0.5] * len(labels)}
    content = {
        "kind": "zero-shot",
        "backbone": backbone,
        "summary": "Zero-shot: no head was trained for this backbone; its scores come from the "
        "labels' names alone and are uncalibrated.",
        "labels": list(labels.names),
        "label_ids": list(labels.ids),
        "modes": {mode: dict(entry) for mode in MODES},
    }
    return Card(None, content)


def has_card(backbone: str) -> bool:
    """Whether this project has trained heads for the backbone."""
    return (CHECKPOINTS / slug(backbone) / CARD).is_file()


def find_card(backbone: str = "auto", folder: str | Path | None = None) -> Card:
    """The card in `folder`, or else of the project's heads for a backbone; `auto` is `tiny`.

    `folder` can also be on the hub: see `hub.heads`.

    Raises:
        CheckpointError: there is none, or it cannot be read.
    """
    if folder is None:
        folder = CHECKPOINTS / slug("tiny" if backbone == "auto" else backbone)
    if str(folder).startswith(PREFIX):
        folder = fetch_heads(str(folder))
    return read_card(Path(folder))


def verify(card: Card) -> None:
    """Check the sha256 of every file that the card names.

    Raises:
        CheckpointError: a file is missing or is not the one the card was written for.
    """
    known = card.content["files"]
    for name in {*known, *(entry["file"] for entry in card.modes.values())}:
        path = card.folder / name
        if Path(name).name != name or not path.is_file():
            raise CheckpointError(f"{path} is missing: restore it or train the heads again.")
        if sha256(path) != known.get(name):
            raise CheckpointError(
                f"{path} is not the file its card describes (sha256 differs): restore it or "
                "train the heads again."
            )


def load_heads(card: Card, backbone: str, width: int) -> dict:
    """Heads by mode, in evaluation mode, for a backbone of this id and width; see also `verify`.

    Raises:
        CheckpointError: the card is for another backbone or width, or a file does not fit it.
    """
    from safetensors.torch import load_file

    from clipdemo.model.heads import new_head

    if card.backbone != backbone:
        raise CheckpointError(
            f"The heads in {card.folder} are for the backbone {card.backbone}, not {backbone}: "
            "choose that backbone or train heads for this one."
        )
    if card.content["width"] != width:
        raise CheckpointError(
            f"The heads in {card.folder} read embeddings of width {card.content['width']}, but "
            f"{backbone} gives {width}: train heads for it again."
        )
    heads = {}
    for mode, entry in card.modes.items():
        try:
            head = new_head(entry, len(card.labels))
            head.load_state_dict(load_file(card.folder / entry["file"]))
        except Exception as error:  # safetensors and torch raise their own kinds
            raise CheckpointError(
                f"{card.folder / entry['file']} does not fit its card "
                f"({type(error).__name__}: {reason(error)}): train the heads again."
            ) from error
        heads[mode] = head.float().eval()
    return heads


def has_room_for_heads(folder: Path) -> bool:
    """Whether the folder is missing, empty, or has nothing but heads that were cut off before
    their card."""
    heads = {f"{mode}.safetensors" for mode in ALL_MODES}
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return all(name in heads or name.endswith((".part", ".tmp")) for name in names)


def save_heads(folder: Path, heads: dict, content: dict) -> Card:
    """Write each mode's weights and then the card, with the sha256 of every file in the folder.

    Raises:
        CheckpointError: they cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    for mode, head in heads.items():
        name = f"{mode}.safetensors"
        weights = {k: v.half().contiguous() for k, v in head.state_dict().items()}
        try:
            save_file(weights, folder / name)
        except SafetensorError as error:
            raise CheckpointError(
                f"{folder / name} cannot be written ({reason(error)}): make room, or choose "
                "another folder."
            ) from error
        content["modes"][mode]["file"] = name
    return write_card(folder, content)


def write_card(folder: Path, content: dict) -> Card:
    """Write `card.json` atomically, with the sha256 of the folder's weights and their settings."""
    kinds, skip = (".safetensors", ".json"), (CARD, "report.json")
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix in kinds)
    content = content | {"files": {p.name: sha256(p) for p in files if p.name not in skip}}
    with atomic_write(folder / CARD) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    return read_card(folder)
