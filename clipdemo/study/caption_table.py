"""A label table with its captions written by a model."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from clipdemo.errors import PhotoError
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.model.captioners.choice import Captioner
from clipdemo.tables.account import Account, photo_reason
from clipdemo.tables.label_table import LabelTable, write_label_table


def caption_table(
    captioner: Captioner,
    frame: pd.DataFrame,
    photos: PhotoSource,
    out: Path,
    progress: Callable[[int], None] = lambda rows: None,
) -> tuple[pd.DataFrame, list[dict]]:
    """Write the best caption for each row's photo to `out`, with the row's labels.

    Each caption is appended at once to a journal beside it (`out` with `.jsonl` added), keyed by
    the captioner's name and the photo's sha256: a later call generates only what is missing.

    Returns:
        The table as written, and the photos without a caption, each with `ImageID` and `reason`.
    """
    journal = out.with_name(f"{out.name}.jsonl")
    known = _read(journal)
    captions, skipped = [], []
    with journal.open("ab") as file:
        file.write(b"\n")  # a killed run may have left half a line
        for image_id in frame["ImageID"]:
            try:
                photo = photos.read(image_id)
                key = captioner.name, hashlib.sha256(photo).hexdigest()
                if key not in known:
                    known[key] = next(iter(captioner.suggest(photo, 1)), "")
                    line = {"captioner": key[0], "photo": key[1], "caption": known[key]}
                    file.write(json.dumps(line).encode() + b"\n")
                    file.flush()
                captions.append(known[key])
                if not known[key]:
                    skipped.append({"ImageID": image_id, "reason": "The model has no caption."})
            except PhotoError as error:
                captions.append("")
                skipped.append({"ImageID": image_id, "reason": str(error)})
            progress(1)
    found = frame.assign(Caption=pd.array(captions, dtype="str"))
    found = found[found["Caption"] != ""].reset_index(drop=True)
    write_label_table(found, out)
    return found, skipped


def accounted(table: LabelTable, skipped: list[dict], photos: PhotoSource) -> Account:
    """The table's account, in which rows without a caption are left out."""
    reasons = {entry["ImageID"]: photo_reason(entry["reason"]) for entry in skipped}
    names = enumerate(table.frame["ImageID"])
    gone = {row: reasons[name] for row, name in names if name in reasons}
    table = table.leave_out(gone) if gone else table
    table.note_photos(photos)
    return table.account


def _read(journal: Path) -> dict[tuple[str, str], str]:
    """Captions by captioner and photo; incomplete lines are skipped."""
    known = {}
    for line in journal.read_bytes().splitlines() if journal.is_file() else ():
        try:
            entry = json.loads(line)
            known[entry["captioner"], entry["photo"]] = entry["caption"]
        except (ValueError, TypeError, KeyError):
            continue
    return known
