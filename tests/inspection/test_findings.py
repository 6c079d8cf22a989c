"""Findings: saved at once, found again, and harmless in a spreadsheet."""

import csv
import io
from dataclasses import replace

import pytest

from clipdemo.errors import ClipdemoError
from clipdemo.inspection.findings import Findings
from inspection.test_queries import made

FOUND = made(20)
FINDING = {"finding": "label wrong", "label": "dog", "mode": "image", "note": "a wolf, I think"}


def test_a_finding_survives_a_restart(tmp_path):
    Findings(tmp_path / "new").set(FOUND, 4, FINDING)
    again = Findings(tmp_path / "new")
    assert len(again) == 1
    assert again.of("4.jpg", FOUND.captions[4])["note"] == "a wolf, I think"
    assert again.rows(FOUND) == [4]


def test_a_finding_stays_with_its_row_when_the_table_changes(tmp_path):
    findings = Findings(tmp_path)
    findings.set(FOUND, 4, FINDING)
    order = list(range(19, -1, -1))
    turned = replace(
        FOUND, ids=FOUND.ids[order].reset_index(drop=True),
        captions=FOUND.captions[order].reset_index(drop=True),
    )  # fmt: skip
    assert findings.rows(turned) == [15]


def test_a_finding_can_be_changed_and_taken_back(tmp_path):
    findings = Findings(tmp_path)
    findings.set(FOUND, 4, FINDING)
    findings.set(FOUND, 4, FINDING | {"finding": "note"})
    assert len(findings) == 1
    assert findings.of("4.jpg", FOUND.captions[4])["finding"] == "note"
    findings.set(FOUND, 4, None)
    assert len(Findings(tmp_path)) == 0


@pytest.mark.parametrize("wrong", [{"finding": "<b>"}, {"note": "x" * 501}, {"finding": None}])
def test_an_invalid_finding_is_refused_and_nothing_is_lost(tmp_path, wrong, is_sentence):
    findings = Findings(tmp_path)
    findings.set(FOUND, 4, FINDING)
    with pytest.raises(ClipdemoError) as error:
        findings.set(FOUND, 4, FINDING | wrong)
    assert is_sentence(error.value)
    assert Findings(tmp_path).of("4.jpg", FOUND.captions[4])["finding"] == "label wrong"


def test_a_damaged_file_is_renamed_and_not_overwritten(tmp_path):
    (tmp_path / "findings.json").write_text("[{")
    findings = Findings(tmp_path)
    assert len(findings) == 0
    findings.set(FOUND, 4, FINDING)
    assert (tmp_path / "findings.damaged").read_text() == "[{"
    assert len(Findings(tmp_path)) == 1


def test_the_csv_has_every_finding_and_no_formula(tmp_path):
    findings = Findings(tmp_path)
    findings.set(FOUND, 4, FINDING | {"note": "=cmd|' /C calc'!A0"})
    findings.set(FOUND, 5, FINDING | {"note": 'two\nlines, "quoted"'})
    rows = list(csv.DictReader(io.StringIO(findings.as_csv())))
    assert [row["ImageID"] for row in rows] == ["4.jpg", "5.jpg"]
    assert rows[0]["note"].startswith("'=")
    assert rows[1]["note"] == 'two\nlines, "quoted"'
    assert rows[0]["Labels"].split(";") == FOUND.true_of(4) or rows[0]["Labels"] == ""


def test_label_studio_gets_the_corrected_labels_and_what_the_model_says(tmp_path):
    findings = Findings(tmp_path)
    wrong = "dog" in FOUND.true_of(4)
    findings.set(FOUND, 4, FINDING)
    findings.set(FOUND, 7, FINDING | {"finding": "hard to see"})
    first, second = findings.as_label_studio(FOUND)
    assert first["data"] == {"image": "4.jpg", "text": FOUND.captions[4]}
    assert first["meta"]["note"] == "a wolf, I think"
    assert ("dog" in choices(first["annotations"])) != wrong
    assert choices(second["annotations"]) == FOUND.true_of(7)
    said = FOUND.labels_on(4)
    assert [entry["model_version"].split()[-1] for entry in first["predictions"]] == list(said)
    assert choices(first["predictions"]) == next(iter(said.values()))


def choices(entries: list[dict]) -> list[str]:
    (result,) = entries[0]["result"]
    assert (result["from_name"], result["to_name"], result["type"]) == (
        "labels",
        "image",
        "choices",
    )
    return result["value"]["choices"]
