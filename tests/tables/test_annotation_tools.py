"""Annotation tools' own JSON has the labels that they show, and photos that nobody has labelled."""

import json

import pytest

from clipdemo.errors import TableError
from clipdemo.tables.captions_csv import read_captions

CLASSES = ["person", "dog", "cat"]
NAMES = {"1.jpg": ["dog", "person"], "2.jpg": ["cat"]}
WANTED = {name: set(labels) for name, labels in NAMES.items()}


def labelbox(chosen) -> dict:
    answers = [{"name": name, "value": name} for name in chosen[1:]]
    return {
        "objects": [{"name": name, "value": name, "bounding_box": {}} for name in chosen[:1]],
        "classifications": [{"name": "Seen", "value": "seen", "checklist_answers": answers}],
    }


def old_labelbox(chosen) -> dict:
    answers = [{"title": name, "value": name} for name in chosen[1:]]
    return {
        "objects": [{"title": name, "value": name, "bbox": {}} for name in chosen[:1]],
        "classifications": [{"title": "Seen", "value": "seen", "answers": answers}],
    }


def projects(labels: list) -> dict:
    return {"p1": {"name": "Street", "labels": labels, "project_details": {}}}


LABELBOX = [
    {
        "data_row": {"id": "c1", "external_id": n, "row_data": f"https://s.co/x/{n}"},
        "projects": projects([{"label_kind": "Default", "annotations": labelbox(names)}]),
    }
    for n, names in NAMES.items()
]
OLD_LABELBOX = [
    {"ID": "a", "Labeled Data": "https://s.co/x", "Label": old_labelbox(names), "External ID": n}
    for n, names in NAMES.items()
]
TOOLS = {
    "labelbox": LABELBOX,
    "old labelbox": OLD_LABELBOX,
    "vott": {"name": "p", "assets": {
        f"h{n}": {"asset": {"name": n, "path": f"file:/{n}"}, "regions": [{"tags": names}]}
        for n, names in NAMES.items()
    }, "tags": [{"name": "dog"}]},
    "kili": [
        {"externalId": n, "content": f"https://c/{n}", "labels": [
            {"jsonResponse": {"JOB_0": {"categories": [{"name": x} for x in names[:1]]}, "JOB_1": {
                "annotations": [{"categories": [{"name": x}]} for x in names[1:]]
            }}}
        ]}
        for n, names in NAMES.items()
    ],
    "custom vision": [
        {"id": "g", "created": "2020", "originalImageUri": f"https://o.co/{n}",
         "tags": [{"tagId": "t", "tagName": x, "created": "2020"} for x in names]}
        for n, names in NAMES.items()
    ],
    "prodigy": [
        {"image": n, "options": [{"id": x, "text": x} for x in CLASSES], "accept": names,
         "answer": "accept", "_input_hash": 1}
        for n, names in NAMES.items()
    ],
    "prodigy regions": [
        {"image": n, "spans": [{"label": x, "points": [[0, 0]]} for x in names],
         "answer": "accept", "_input_hash": 1}
        for n, names in NAMES.items()
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", TOOLS)
def test_an_annotation_tool_is_understood(read_labels, name):
    assert read_labels(TOOLS[name])[0] == WANTED


def test_another_tools_export_is_to_be_exported_as_coco(read_labels, is_sentence):
    """None of its keys can be called ImageID, as the photo's name is deeper inside."""
    task = {"task_id": "t", "params": {"attachment": "https://a.org/1.jpg"}, "response": {}}
    with pytest.raises(TableError, match="export it as COCO") as refused:
        read_labels([task])
    assert is_sentence(refused.value)


def test_v7_darwin_writes_a_file_for_each_photo(read_labels):
    said = [{"name": "dog", "bounding_box": {}}, {"name": "person", "tag": {}}]
    new = {"version": "2.0", "item": {"name": "1.jpg", "path": "/"}, "annotations": said}
    old = {"image": {"filename": "1.jpg", "original_filename": "1.jpg"}, "annotations": said}
    assert read_labels(new)[0] == read_labels(old)[0] == {"1.jpg": {"dog", "person"}}


RESULT = {"type": "choices", "value": {"choices": ["dog"]}}
NOT_DONE = {
    "empty": {"data": {"image": "3.jpg"}, "annotations": []},
    "guessed": {"data": {"image": "3.jpg"}, "annotations": [], "predictions": [
        {"result": [RESULT]}
    ]},
    "skipped": {"data": {"image": "3.jpg"}, "annotations": [
        {"was_cancelled": True, "result": [RESULT]}
    ]},
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_DONE)
def test_a_task_that_nobody_has_finished_is_no_photo_without_labels(read_labels, name):
    done = [
        {"data": {"image": n}, "annotations": [{"result": [
            {"type": "choices", "value": {"choices": names}}
        ]}]}
        for n, names in NAMES.items()
    ]  # fmt: skip
    nothing = {"data": {"image": "4.jpg"}, "annotations": [{"result": []}]}
    found, account = read_labels([*done, NOT_DONE[name], nothing])
    assert found == {**WANTED, "4.jpg": set()}
    assert account["left_out"] == [
        {"reason": "has not been annotated", "count": 1, "examples": ["line 3: 3.jpg"]}
    ]


def test_the_caption_of_a_task_needs_no_annotation(tmp_path):
    task = {"data": {"image": "1.jpg", "caption": "A dog runs."}, "annotations": []}
    (tmp_path / "t.json").write_text(json.dumps([task]))
    assert read_captions(tmp_path / "t.json")[0] == [("1.jpg", "A dog runs.")]
