"""A corrected table keeps its form, and has the corrections when it is read again."""

import json

import pytest
from support.table_forms import EXPECTED, EXPORTS, FORMS, IDS

from clipdemo.inputs.labels import COCO18
from clipdemo.tables.corrected import corrected
from clipdemo.tables.label_table import read_label_table

from .test_forms import put, rows_of

CHANGES = {
    "1.jpg": {"dog": False, "bus": True}, "3.jpg": {"person": False}, "5.jpg": {"cat": True},
    "photos/1.jpg": {"dog": False, "bus": True}, "photos/3.jpg": {"person": False},
    "photos/5.jpg": {"cat": True},
}  # fmt: skip


def expected() -> list:
    rows = []
    for name, ids, caption in EXPECTED:
        changes = {IDS[label]: on for label, on in CHANGES.get(name, {}).items()}
        ids = {i for i in ids if changes.get(i, True)} | {i for i, on in changes.items() if on}
        rows.append((name, tuple(sorted(ids, key=int)), caption))
    return rows


@pytest.mark.parametrize("name", FORMS)
def test_a_corrected_table_gives_the_corrected_labels(tmp_path, name):
    path = put(tmp_path, name, FORMS[name])
    before = read_label_table(path).account.to_dict()
    file, content = corrected(path, COCO18, CHANGES)
    (tmp_path / file).write_bytes(content)
    table = read_label_table(tmp_path / file, strict=True)
    assert rows_of(table) == expected()
    for what in ("Labels", "ImageID", "Caption", "separator"):
        assert table.account.read_as.get(what) == before["read_as"].get(what)


@pytest.mark.parametrize("name", EXPORTS)
def test_a_form_that_can_be_read_but_not_written_becomes_plain_csv(tmp_path, name):
    path = put(tmp_path, name, EXPORTS[name])
    names = {
        row[0]: row[0].rpartition("/")[2]
        for row in read_label_table(path).frame.itertuples(index=False)
    }
    file, content = corrected(
        path, COCO18, {name: CHANGES.get(last, {}) for name, last in names.items()}
    )
    (tmp_path / file).write_bytes(content)
    assert rows_of(read_label_table(tmp_path / file)) == expected()


@pytest.mark.parametrize("name", ["names.csv", "json.csv", "floats.csv", "one-hot-words.csv"])
def test_uncorrected_cells_stay_the_same(tmp_path, name):
    path = put(tmp_path, name, FORMS[name])
    _, content = corrected(path, COCO18, {"1.jpg": {"bus": True}})
    old, new = path.read_text().splitlines(), content.decode().splitlines()
    assert [a == b for a, b in zip(old, new, strict=True)].count(False) == 1


def test_coco_gets_annotations_without_boxes_and_loses_wrong_ones(tmp_path):
    path = put(tmp_path, "instances.json", FORMS["instances.json"])
    found = json.loads(corrected(path, COCO18, CHANGES)[1])
    added = [a for a in found["annotations"] if a.get("bbox") == []]
    assert [(a["image_id"], a["category_id"]) for a in added] == [(0, 6), (4, 17)]
    assert len({a["id"] for a in added}) == 2
