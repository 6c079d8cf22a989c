"""Findings: the owner's notes on rows of a table, stored next to its predictions."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from clipdemo.errors import ClipdemoError
from clipdemo.inputs.atomic import atomic_write
from clipdemo.tables.safe_csv import write_rows

if TYPE_CHECKING:
    from clipdemo.inspection.predictions import Predictions

KINDS = (
    "label wrong", "label right", "caption wrong", "caption silent", "hard to see",
    "model wrong", "note",
)  # fmt: skip
LONGEST = 500  # characters of a note
COLUMNS = ("ImageID", "Caption", "Labels", "finding", "label", "mode", "score", "threshold", "note")


class Findings:
    """One finding per row: its kind, the label and mode in question with their score and threshold
    at that time, and a note.

    A row is identified by `ImageID` and caption, so that findings survive changes to the table.
    """

    def __init__(self, folder: Path) -> None:
        """Read the folder's findings; a damaged file is renamed and ignored."""
        self._path = folder / "findings.json"
        self._lock = threading.Lock()
        self._found = {}
        try:
            entries = json.loads(self._path.read_text("utf-8"))
            self._found = {(entry["ImageID"], entry["Caption"]): entry for entry in entries}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError):
            with suppress(OSError):
                self._path.replace(self._path.with_suffix(".damaged"))

    def of(self, image_id: str, caption: str) -> dict | None:
        """The finding on a row: `finding`, `label`, `mode` and `note`."""
        return self._found.get((image_id, caption))

    def rows(self, found: Predictions) -> list[int]:
        """The rows of a table that have one."""
        if not self._found:
            return []
        pairs = zip(found.ids, found.captions, strict=True)
        return [row for row, pair in enumerate(pairs) if pair in self._found]

    def __len__(self) -> int:
        return len(self._found)

    def set(self, found: Predictions, row: int, finding: dict | None) -> None:
        """Store a row's finding, or remove it if None; it is on disk when this returns.

        Raises:
            ClipdemoError: its kind is not one of `KINDS`, its note is too long, or nothing can be
                written.
        """
        image_id, caption = found.ids[row], found.captions[row]
        with self._lock:
            changed = dict(self._found)
            changed.pop((image_id, caption), None)
            if finding is not None:
                entry = {"ImageID": image_id, "Caption": caption, "Labels": found.true_of(row)}
                changed[image_id, caption] = entry | _checked(finding)
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with atomic_write(self._path) as partial:
                    partial.write_text(json.dumps(list(changed.values()), indent=1), "utf-8")
            except OSError as error:
                raise ClipdemoError(
                    f"The finding could not be saved ({error.strerror}): make room in "
                    f"{self._path.parent}, or start the app with another --cache."
                ) from error
            self._found = changed

    def corrections(self) -> dict[str, dict[str, bool]]:
        """By `ImageID`, the labels found to be wrong, and whether each should be there."""
        wrong: dict[str, dict[str, bool]] = {}
        for entry in self._found.values():
            label = entry.get("label")
            if entry.get("finding") == "label wrong" and label:
                wrong.setdefault(entry["ImageID"], {})[label] = label not in entry["Labels"]
        return wrong

    def as_csv(self) -> str:
        """All of them as a table, for a spreadsheet."""
        file = io.StringIO(newline="")
        rows = [
            [";".join(entry[name]) if name == "Labels" else entry.get(name, "") for name in COLUMNS]
            for entry in self._found.values()
        ]
        write_rows(file, [COLUMNS, *rows])
        return file.getvalue()

    def as_label_studio(self, found: Predictions) -> list[dict]:
        """Tasks for Label Studio's import: the rows with a finding, with corrected labels.

        Each has the photo's name as `image`, the caption as `text`, the labels as an annotation,
        each mode's labels as a prediction, and the finding as `meta`. They fit a project whose
        `Choices` are named `labels` and whose `Image` is named `image`. See Label Studio's
        documentation, "Import pre-annotated data".
        """
        wrong = self.corrections()
        return [
            {
                "data": {"image": found.ids[row], "text": found.captions[row]},
                "meta": dict(self._found[found.ids[row], found.captions[row]]),
                "annotations": [{"result": _choices(_corrected(found, row, wrong))}],
                "predictions": [
                    {"model_version": f"{found.about['backbone']}, {mode}", "result": _choices(on)}
                    for mode, on in found.labels_on(row).items()
                ],
            }
            for row in self.rows(found)
        ]


def _corrected(found: Predictions, row: int, wrong: Mapping[str, Mapping[str, bool]]) -> list[str]:
    true = dict.fromkeys(found.true_of(row), True) | wrong.get(found.ids[row], {})
    return [name for name in found.labels if true.get(name)]


def _choices(names: list[str]) -> list[dict]:
    """Label Studio's form of a photo's labels."""
    value = {"choices": names}
    return [{"from_name": "labels", "to_name": "image", "type": "choices", "value": value}]


def _checked(finding: dict) -> dict:
    kind, note = finding.get("finding"), _text(finding.get("note")).strip()
    if kind not in KINDS:
        raise ClipdemoError(f"There is no finding of this kind: choose one of {', '.join(KINDS)}.")
    if len(note) > LONGEST:
        raise ClipdemoError(f"The note is longer than {LONGEST} characters: make it shorter.")
    looked_at = ("label", "mode", "score", "threshold")
    texts = {name: _text(finding.get(name))[:100] for name in looked_at}
    return {"finding": kind, **texts, "note": note}


def _text(given: object) -> str:
    """Text without lone surrogates, which JSON allows but UTF-8 does not."""
    return str(given or "").encode("utf-8", "replace").decode()
