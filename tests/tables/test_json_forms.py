"""JSON as tools and people write it: its own classes, its scores, and its many containers."""

import json

import pytest

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18

WANTED = {"1.jpg": {"dog", "person"}, "2.jpg": {"cat"}}
CLASSES = ["person", "dog", "cat"]
INDICES = {"1.jpg": [1, 0], "2.jpg": [2]}
NAMES = {n: [CLASSES[i] for i in numbers] for n, numbers in INDICES.items()}
NUMBERED = [{"image": n, "labels": numbers} for n, numbers in INDICES.items()]
NAMED = [{"image": n, "labels": names} for n, names in NAMES.items()]


def boxed(key: str, how=lambda number: number) -> list[dict]:
    return [
        {"image": n, "annotations": [{key: how(i), "bbox": [0, 0, 1, 1]} for i in numbers]}
        for n, numbers in INDICES.items()
    ]


MEGADETECTOR = {
    "images": [
        {"file": "a/1.jpg", "detections": [
            {"category": "1", "conf": 0.926, "bbox": [0, 0, 1, 1]},
            {"category": "2", "conf": 0.9, "bbox": [0, 0, 1, 1]},
            {"category": "3", "conf": 0.05, "bbox": [0, 0, 1, 1]},
        ]},
        {"file": "a/2.jpg", "detections": [{"category": "3", "conf": 0.6, "bbox": [0, 0, 1, 1]}]},
    ],
    "detection_categories": {"1": "dog", "2": "person", "3": "cat"},
    "info": {"format_version": "1.3"},
}  # fmt: skip
HUGGING_FACE = {
    "features": [
        {"feature_idx": 0, "name": "image", "type": {"_type": "Image"}},
        {"feature_idx": 1, "name": "labels", "type": {
            "feature": {"names": CLASSES, "_type": "ClassLabel"}, "_type": "List"
        }},
    ],
    "rows": [
        {"row_idx": 0, "row": {"image": {"src": f"https://d.co/{n}"}, "labels": numbers}}
        for n, numbers in INDICES.items()
    ],
}  # fmt: skip
WITH_CLASSES = {
    "categories": {"categories": CLASSES, "data": NUMBERED},
    "from one": {
        "classes": ["background", *CLASSES],
        "annotations": [{**row, "labels": [i + 1 for i in row["labels"]]} for row in NUMBERED],
    },
    "numbers as text": {"names": CLASSES, "data": [
        {"image": n, "labels": ",".join(map(str, i))} for n, i in INDICES.items()
    ]},
    "by number": {"id2label": {str(i): n for i, n in enumerate(CLASSES)}, "photos": NUMBERED},
    "by name": {"classes": {n: i for i, n in enumerate(CLASSES)}, "photos": NUMBERED},
    "label2id": {"label2id": {n: i for i, n in enumerate(CLASSES)}, "photos": NUMBERED},
    "about the dataset": {"metainfo": {"classes": CLASSES}, "data_list": [
        {"img_path": n, "gt_label": numbers} for n, numbers in INDICES.items()
    ]},
    "of coco": {
        "categories": [{"id": i, "name": n} for i, n in enumerate(CLASSES)],
        "licenses": [{"id": 1, "url": "https://a.org"}],
        "images": boxed("category_id"),
    },
    "of regions": {"label_names": CLASSES, "images": boxed("class_id")},
    "vectors": {"classes": CLASSES, "data": [
        {"image": "1.jpg", "labels": [1, 1, 0]}, {"image": "2.jpg", "labels": [0, 0, 1]}
    ]},
    "parallel lists": {
        "images": list(INDICES), "labels": list(INDICES.values()), "classes": CLASSES
    },
    "by photo": {"classes": CLASSES, "labels": INDICES},
    "megadetector": MEGADETECTOR,
    "hugging face": HUGGING_FACE,
}  # fmt: skip


@pytest.mark.parametrize("labels", [COCO18, None], ids=["known", "own"])
@pytest.mark.parametrize("name", WITH_CLASSES)
def test_numbers_of_labels_mean_the_files_own_classes(read_labels, name, labels):
    """They look like COCO's ids, which are other labels."""
    assert read_labels(WITH_CLASSES[name], labels)[0] == WANTED


def test_detections_may_be_chosen_as_the_labels(read_labels):
    found, account = read_labels(MEGADETECTOR, columns={"Labels": "detections"})
    assert found == WANTED
    assert account["repaired"] == {"labels not used because of their scores": 1}


def test_a_likely_species_counts_more_than_animal(read_labels):
    known = {"category": "1", "conf": 0.9, "classifications": [["0", 0.8], ["1", 0.1]]}
    unsure = {"category": "1", "conf": 0.9, "classifications": [["0", 0.3], ["1", 0.2]]}
    found, _ = read_labels({
        "images": [
            {"file": "1.jpg", "detections": [known]}, {"file": "2.jpg", "detections": [unsure]}
        ],
        "detection_categories": {"1": "animal"},
        "classification_categories": {"0": "deer", "1": "fox"},
    })  # fmt: skip
    assert found == {"1.jpg": {"deer"}, "2.jpg": {"animal"}}


@pytest.mark.parametrize(("numbers", "labels"), [((1, 18), ("person", "dog")), ((1, 0), "10")])
def test_the_number_of_a_category_is_a_label_and_not_a_column_of_yes_and_no(
    read_labels, numbers, labels
):
    rows = [{"file_name": f"{i}.jpg", "category_id": n, "bbox": []} for i, n in enumerate(numbers)]
    assert list(read_labels(rows)[0].values()) == [{label} for label in labels]


def test_a_photo_that_megadetector_could_not_open_is_left_out(read_labels):
    broken = {"file": "3.jpg", "failure": "Failure image access", "detections": None}
    found, account = read_labels({**MEGADETECTOR, "images": [*MEGADETECTOR["images"], broken]})
    assert found == WANTED
    assert account["left_out"][0]["examples"] == ["line 3: 3.jpg"]


def test_a_text_next_to_a_list_of_classes_is_a_name(read_labels):
    found, account = read_labels({"classes": CLASSES, "data": NAMED})
    assert found == WANTED
    assert "numbers of labels" not in account["read_as"]


@pytest.mark.parametrize("content", [
    {"classes": CLASSES, "data": [{"image": "1.jpg", "labels": [3]}]},
    {"images": ["1.jpg", "2.jpg"], "labels": [["dog"]]},
    [{"image": "1.jpg", "labels": [{"label": "dog", "score": 7.5}]}],
    [{"image": "1.jpg", "labels": ["dog", "cat"], "scores": [3.1, -2.5]}],
    [{"data_title": "1.jpg", "data_units": {"u": {"labels": {"objects": [{"name": "dog"}]}}}}],
    '{\n "image": "1.jpg",\n "labels": [',
])  # fmt: skip
def test_what_cannot_be_understood_is_refused_in_one_sentence(read_labels, is_sentence, content):
    """Not read as a class that is not there, a photo called like a list, or no label at all."""
    with pytest.raises(TableError) as refused:
        read_labels(content)
    assert is_sentence(refused.value)


def test_a_single_record_may_have_a_key_that_looks_like_a_list_of_classes(read_labels):
    assert read_labels({"image": "1.jpg", "classes": ["dog", "person"]})[0] == {
        "1.jpg": WANTED["1.jpg"]
    }


def test_a_single_record_may_have_its_classes_with_it(read_labels):
    record = {"image": "1.jpg", "labels": [1, 0], "classes": CLASSES}
    assert read_labels(record)[0] == {"1.jpg": WANTED["1.jpg"]}


def test_labels_by_column_are_no_list_of_classes(read_labels):
    content = {"image": ["1.jpg", "2.jpg"], "classes": [["dog", "person"], ["cat"]]}
    assert read_labels(content)[0] == WANTED
    assert read_labels({"image": {"0": "1.jpg"}, "classes": {"0": "dog"}})[0] == {"1.jpg": {"dog"}}


def scored(how) -> list[dict]:
    return [
        {"image": n, **how({x: 0.98 if x in names else 0.02 for x in CLASSES})}
        for n, names in NAMES.items()
    ]


SCORED = {
    "parallel": scored(lambda s: {"labels": list(s), "scores": list(s.values())}),
    "confidence": scored(lambda s: {"labels": list(s), "confidence": list(s.values())}),
    "grounding dino": scored(lambda s: {"labels": list(s), "logits": list(s.values())}),
    "pairs": scored(lambda s: {"labels": [[k, v] for k, v in s.items()]}),
    "in one record": scored(lambda s: {"objects": {"label": list(s), "score": list(s.values())}}),
    "text": scored(lambda s: {"labels": [{"label": k, "score": str(v)} for k, v in s.items()]}),
    "clarifai": scored(lambda s: {"tags": [{"name": k, "value": v} for k, v in s.items()]}),
    "rekognition": scored(
        lambda s: {"Labels": [{"Name": k, "Confidence": 100 * v} for k, v in s.items()]}
    ),
    "zeros and ones": scored(
        lambda s: {"labels": [{"label": k, "prob": round(v)} for k, v in s.items()]}
    ),
    "checked": scored(
        lambda s: {"labels": [{"label": k, "checked": v > 0.5} for k, v in s.items()]}
    ),
    "by label": scored(lambda s: {"labels": s}),
    "by photo": {row["image"]: row["labels"] for row in scored(lambda s: {"labels": s})},
}


@pytest.mark.parametrize("labels", [COCO18, None], ids=["known", "own"])
@pytest.mark.parametrize("name", SCORED)
def test_a_label_with_a_low_score_does_not_count(read_labels, name, labels):
    found, account = read_labels(SCORED[name], labels)
    assert found == WANTED
    assert account["repaired"] == {"labels not used because of their scores": 3}


def test_a_score_may_be_rounded_to_more_than_one(read_labels):
    scores = [{"label": "dog", "score": 1.0000001}, {"label": "cat", "score": 0.02}]
    assert read_labels([{"image": "1.jpg", "labels": scores}])[0] == {"1.jpg": {"dog"}}


LINES = [json.dumps(row) for row in NAMED]
CONTAINERS = {
    "pretty lines": "\n".join(json.dumps(row, indent=2) for row in NAMED),
    "on one line": "".join(LINES),
    "commas": "".join(f"{line},\n" for line in LINES),
    "rows": [["image", "labels"], *([n, names] for n, names in NAMES.items())],
    "firebase": {"photos": {f"-M{i}": {
        "image": n, "labels": {f"-N{i}": name for i, name in enumerate(names)}
    } for i, (n, names) in enumerate(NAMES.items())}},
    "parallel": {"images": list(NAMES), "annotations": list(NAMES.values())},
    "named images": [{**row, "image": {"name": row["image"], "id": 1}} for row in NAMED],
    "lists of one": [{**row, "image": [row["image"]]} for row in NAMED],
    "annotators": {"annotators": [{"id": 1, "mail": "a@b.org"}], "photos": NAMED},
}  # fmt: skip


@pytest.mark.parametrize("name", CONTAINERS)
def test_records_are_found_in_whatever_holds_them(read_labels, name):
    found, account = read_labels(CONTAINERS[name])
    assert found == WANTED
    assert not account["left_out"]


def test_a_damaged_line_loses_only_itself(read_labels):
    found, account = read_labels("\n".join([LINES[0], '{"image": "3.jpg", "lab', LINES[1]]))
    assert found == WANTED
    assert account["left_out"][0]["examples"] == ["line 2: "]


def test_one_photo_with_its_labels_is_no_list_of_photos(read_labels):
    found, _ = read_labels({"1.jpg": [{"label": "dog", "score": 0.9}, {"label": "person"}]})
    assert found == {"1.jpg": WANTED["1.jpg"]}


def test_a_photo_without_labels_may_be_null(read_labels):
    assert read_labels({**NAMES, "3.jpg": None})[0] == {**WANTED, "3.jpg": set()}


def coco(annotations: list[dict]) -> dict:
    return {
        "images": [{"id": i, "file_name": n} for i, n in enumerate(NAMES)],
        "categories": [{"id": i, "name": name} for i, name in enumerate(CLASSES, 1)],
        "annotations": annotations,
    }


@pytest.mark.parametrize("annotations", [
    [{"image_id": 0, "category_ids": [1, 2]}, {"image_id": 1, "category_ids": [3]}],
    [{"image_id": 0, "category_name": "person"}, {"image_id": 0, "category": "dog"},
     {"image_id": 1, "category_id": None, "category_name": "cat"}],
    [{"image_id": i, "category_id": CLASSES.index(x) + 1, "score": 0.9 if x in names else 0.02}
     for i, names in enumerate(NAMES.values()) for x in CLASSES],
])  # fmt: skip
def test_cocos_categories_may_be_lists_or_names_or_guesses(read_labels, annotations):
    assert read_labels(coco(annotations))[0] == WANTED


def test_annotations_of_coco_that_say_nothing_are_in_the_account(read_labels):
    found, account = read_labels(
        coco([{"image_id": 0, "category_id": 1}, {"image_id": 1, "bbox": [0]}])
    )
    assert found == {"1.jpg": {"person"}, "2.jpg": set()}
    assert account["repaired"] == {"annotations without a category": 1}
