"""What annotation tools and other programs write is read as they mean it."""

import json

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18
from clipdemo.tables.label_table import read_label_table

WANTED = {"1.jpg": {"dog", "person"}, "2.jpg": {"cat"}}
CLASSES = ["cat", "dog", "person"]
CLASS_MAP = {str(i): name for i, name in enumerate(CLASSES)}
INDICES = {"1.jpg": [1, 2], "2.jpg": [0]}


def lines(*rows: dict) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def manifest(attribute: str, said, about) -> str:
    return lines(*(
        {"source-ref": f"s3://b/{n}", attribute: said(i), f"{attribute}-metadata": about(i)}
        for n, i in INDICES.items()
    ))  # fmt: skip


def rekognition() -> str:
    return lines(*(
        {"source-ref": f"s3://b/{n}"}
        | {CLASSES[i]: 1 for i in numbers}
        | {f"{CLASSES[i]}-metadata": {"class-name": CLASSES[i]} for i in numbers}
        for n, numbers in INDICES.items()
    ))  # fmt: skip


def datumaro() -> str:
    items = [
        {"id": n[0], "image": {"path": n}, "annotations": [
            *({"type": "label", "label_id": i} for i in numbers),
            {"type": "caption", "caption": "a caption", "label_id": None},
        ]}
        for n, numbers in INDICES.items()
    ]  # fmt: skip
    categories = {"label": {"labels": [{"name": name} for name in CLASSES]}}
    return json.dumps({"info": {}, "categories": categories, "items": items})


def fiftyone() -> str:
    boxes = {n: [{"label": i, "bounding_box": [0, 0, 1, 1]} for i in numbers]
             for n, numbers in INDICES.items()}  # fmt: skip
    return json.dumps({"classes": CLASSES, "labels": boxes})


def via() -> str:
    return json.dumps({"_via_settings": {}, "_via_img_metadata": {
        f"{n}123": {"filename": n, "size": 123, "file_attributes": {}, "regions": [
            {"shape_attributes": {"name": "rect"}, "region_attributes": {"object": CLASSES[i]}}
            for i in numbers
        ]}
        for n, numbers in INDICES.items()
    }})  # fmt: skip


def labelled(photo: str) -> list[str]:
    return [CLASSES[i] for i in INDICES[photo]]


def mapped(make) -> str:
    return lines(*(make(n, labelled(n)) for n in INDICES))


EXPORTS = {
    "multi.manifest": manifest("objects", lambda i: i, lambda i: {"class-map": CLASS_MAP}),
    "boxes.manifest": manifest(
        "bounding-box",
        lambda i: {"annotations": [{"class_id": n} for n in i]},
        lambda i: {"class-map": CLASS_MAP},
    ),
    "rekognition.manifest": rekognition(),
    "vertex.jsonl": mapped(lambda n, names: {
        "imageGcsUri": f"gs://b/{n}", "boundingBoxAnnotations": [{"displayName": x} for x in names]
    }),
    "scores.jsonl": mapped(lambda n, names: {"image": n, "labels": [
        *({"label": x, "score": 0.9} for x in names), {"label": "bus", "score": 0.001}
    ]}),
    "datumaro.json": datumaro(),
    "fiftyone.json": fiftyone(),
    "fiftyone.csv": "filepath,tags,ground_truth.detections.label,predictions.detections.label\n"
                    '1.jpg,"train,val","dog,person",cat\n2.jpg,train,cat,dog\n',
    "via.json": via(),
    "via.csv": "filename,file_size,file_attributes,region_count,region_id,"
               "region_shape_attributes,region_attributes\n"
               + "".join(f'{n},9,"{{}}",2,{i},"{{}}","{{""object"":""{x}""}}"\n'
                         for n in INDICES for i, x in enumerate(labelled(n))),
    "via-of-photos.csv": "filename,file_size,file_attributes,region_count,region_id,"
               "region_shape_attributes,region_attributes\n"
               '1.jpg,9,"{""caption"":""a"",""seen"":{""dog"":true,""person"":true}}",0,0,{},{}\n'
               '2.jpg,9,"{""caption"":"""",""kind"":""cat"",""public"":""no"",""url"":""http://a.org/x""}",'
               "0,0,{},{}\n",
    "visual-genome.json": json.dumps(
        [{"image_id": n, "objects": [{"names": [x]} for x in labelled(n)]} for n in INDICES]
    ),
    "nested.json": json.dumps(
        {"dataset": "mine", "images": {n: {"labels": labelled(n)} for n in INDICES}}
    ),
    "open-images.csv": "ImageID,Source,LabelName,Confidence\n1.jpg,verification,dog,1\n"
                       "1.jpg,verification,person,1\n2.jpg,verification,dog,0\n"
                       "2.jpg,machine,cat,0.9\n",
    "melted.csv": "image,label,present\n1.jpg,dog,1\n1.jpg,cat,0\n1.jpg,person,1\n"
                  "2.jpg,dog,0\n2.jpg,cat,1\n2.jpg,person,0\n",
    "prodigy.jsonl": lines(*(
        {"image": n, "label": x, "answer": "accept" if x in labelled(n) else "reject"}
        for n in INDICES for x in CLASSES
    )),
    "label-and-name.csv": "image_path,label,label_name\n1.jpg,1,dog\n1.jpg,2,person\n2.jpg,0,cat\n",
    "get-dummies.csv": "image,label_cat,label_dog,label_person\n1.jpg,0,1,1\n2.jpg,1,0,0\n",
    "fastai.csv": "fname,cat,dog,person,is_valid\n1.jpg,0,1,1,1\n2.jpg,1,0,0,0\n",
    "label-studio.csv": "annotation_id,annotator,created_at,id,image,lead_time,objects_seen\n"
                        '1,1,now,1,1.jpg,2.5,"{""choices"":[""dog"",""person""]}"\n'
                        "2,1,now,2,2.jpg,2.5,cat\n",
    "taxonomy.json": json.dumps([
        {"image": n, "id": 1, "taxonomy": [{"taxonomy": [["Things", x] for x in labelled(n)]}]}
        for n in INDICES
    ]),
    "r.tsv": '"image"\t"labels"\n"1"\t"1.jpg"\t"dog;person"\n"2"\t"2.jpg"\t"cat"\n',
    "markdown.md": "| image | labels |\n|:------|--------|\n| 1.jpg | dog, person |\n"
                   "| 2.jpg | cat |\n",
    "airtable.csv": 'Photo,Tags\n1.jpg (https://a.org/x1),"dog,person"\n'
                    "2.jpg (https://a.org/x2),cat\n",
    "scores.csv": "image,labels\n1.jpg,dog:0.98;person:0.7;cat:0.02\n2.jpg,cat:0.5\n",
}  # fmt: skip


@pytest.mark.parametrize("labels", [COCO18, None], ids=["known", "own"])
@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_has_the_labels_that_its_tool_shows(tmp_path, name, labels):
    path = tmp_path / name
    path.write_text(EXPORTS[name], "utf-8")
    table = read_label_table(path, labels, strict=True)
    names = dict(zip(table.labels.ids, table.labels.names, strict=True))
    found = table.frame.set_index(table.frame["ImageID"].str.rpartition("/")[2])["Labels"]
    assert {n: {names[i] for i in ids} for n, ids in found.items()} == WANTED


@pytest.mark.parametrize("many", [True, False])
def test_indices_of_hugging_faces_classes_are_their_names(tmp_path, many):
    kind = {"names": CLASSES, "_type": "ClassLabel"}
    feature = {"feature": kind, "_type": "List"} if many else kind
    values = list(INDICES.values()) if many else [1, -1]  # -1: not known
    table = pa.table({"image": [{"path": n} for n in INDICES], "labels": values})
    info = {"info": {"features": {"image": {"_type": "Image"}, "labels": feature}}}
    parquet.write_table(
        table.replace_schema_metadata({"huggingface": json.dumps(info)}), tmp_path / "t.parquet"
    )
    found = read_label_table(tmp_path / "t.parquet").frame["Labels"].tolist()
    assert found == ([("18", "1"), ("17",)] if many else [("18",), ()])


@pytest.mark.parametrize("about", ["[" * 100_000, "5", '{"info": {"features": [1]}}',
    '{"info": {"features": {"labels": {"_type": "ClassLabel", "names": 5}}}}'])  # fmt: skip
def test_a_false_description_of_columns_does_no_harm(tmp_path, about):
    table = pa.table({"image": ["1.jpg"], "labels": [1]})
    table = table.replace_schema_metadata({"huggingface": about})
    parquet.write_table(table, tmp_path / "t.parquet")
    assert read_label_table(tmp_path / "t.parquet").frame["ImageID"].tolist() == ["1.jpg"]


@pytest.mark.parametrize("row", [
    {"labels": ["dog"], "caption": ["A dog runs.", "Another one."]},
    {"labels": ["dog"], "caption": "['A dog runs.', \"Another one.\"]"},
    {"labels": ["dog"], "caption": [{"raw": "A dog runs.", "tokens": ["a", "dog"]}]},
    {"labels": ["dog"], "caption_1": "A dog runs.", "caption_2": "Another one."},
])  # fmt: skip
def test_of_several_captions_the_first_is_used(tmp_path, row):
    (tmp_path / "t.json").write_text(json.dumps([{"image": "1.jpg"} | row]))
    assert read_label_table(tmp_path / "t.json").frame["Caption"].tolist() == ["A dog runs."]
    (tmp_path / "t.csv").write_text("")
    pd.DataFrame([{"image": "1.jpg"} | row]).to_csv(tmp_path / "t.csv", index=False)
    assert read_label_table(tmp_path / "t.csv").frame["Caption"].tolist() == ["A dog runs."]


@pytest.mark.parametrize("text", ["[a dog] on the [grass]", "{dog}", "NA is here", "['a"])
def test_a_caption_in_brackets_stays_one(tmp_path, text):
    (tmp_path / "t.csv").write_text(f"ImageID,Labels,Caption\n1.jpg,18,{text}\n2.jpg,18,NA\n")
    assert read_label_table(tmp_path / "t.csv").frame["Caption"].tolist() == [text, ""]


def test_a_written_caption_of_label_studio_is_the_photos(tmp_path):
    choices = {"type": "choices", "value": {"choices": ["dog"]}}
    written = {"type": "textarea", "value": {"text": ["A dog runs."]}}
    sign = {"type": "textarea", "value": {"text": ["STOP"], "x": 1, "y": 1}}  # read in a region
    task = {"data": {"image": "1.jpg"}, "annotations": [{"result": [choices, sign, written]}]}
    (tmp_path / "t.json").write_text(json.dumps([task]))
    found = read_label_table(tmp_path / "t.json").frame
    assert found[["Labels", "Caption"]].to_numpy().tolist() == [[("18",), "A dog runs."]]


def test_what_is_not_used_because_of_its_score_is_in_the_account(tmp_path):
    (tmp_path / "t.csv").write_text(EXPORTS["open-images.csv"])
    repaired = read_label_table(tmp_path / "t.csv").account.repaired
    assert repaired["labels not used because of Confidence"] == 1


@pytest.mark.parametrize(("cells", "labels"), [
    (["fire truck", "dog", "fire truck"], ("dog", "fire truck")),
    (["red dog", "dog", "red", "red dog"], ("dog", "red")),
    ([0, 1, 2, 1, 4], ("0", "1", "2", "4")),
])  # fmt: skip
def test_own_labels_may_have_spaces_and_numbers_from_zero(tmp_path, cells, labels):
    rows = [f"{i}.jpg,{cell}\n" for i, cell in enumerate(cells)]
    (tmp_path / "t.csv").write_text("filename,labels\n" + "".join(rows))
    assert read_label_table(tmp_path / "t.csv", None).labels.names == labels


def test_numbers_that_are_taken_for_cocos_are_in_the_account(tmp_path):
    """Those of other labels, counted from one, would look the same."""
    (tmp_path / "t.csv").write_text("filename,labels\n1.jpg,1\n2.jpg,3\n")
    table = read_label_table(tmp_path / "t.csv", None)
    assert table.labels == COCO18
    assert table.account.read_as["numbers of labels"] == "COCO's category ids"


def test_parts_of_a_dataset_are_not_labels(tmp_path):
    for place in ("train/dog/1.jpg", "train/cat/2.jpg", "test/dog/3.jpg"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    found = read_label_table(tmp_path).frame
    assert dict(zip(found["ImageID"], found["Labels"], strict=True)) == {
        "train/dog/1.jpg": ("18",), "train/cat/2.jpg": ("17",), "test/dog/3.jpg": ("18",)
    }  # fmt: skip


REFUSED = {
    "coco": (["train2017/1.jpg", "val2017/2.jpg", "annotations/instances.json"], "give a table"),
    "yolo": (["train/images/1.jpg", "train/labels/1.txt"], "COCO format"),
    "tables": (["train/metadata.csv", "train/1.jpg", "test/metadata.csv"], "test"),
    "voc": (["a.xml"], "XML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_folder_of_another_tool_is_refused_with_what_to_give(tmp_path, name, is_sentence):
    places, word = REFUSED[name]
    for place in places:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("<annotation></annotation>")
    with pytest.raises(TableError, match=word) as refused:
        read_label_table(tmp_path / "a.xml" if name == "voc" else tmp_path)
    assert is_sentence(refused.value)


@pytest.mark.parametrize(("content", "words"), [
    ("1.jpg,dog\n2.jpg,cat\n", "ImageID,Labels above it"),
    ("photos/1.jpg 0\nphotos/2.jpg 1\n", "ImageID,Labels above it"),
    ("INSERT INTO t VALUES ('1.jpg', 'dog');\n", "SQL"),
    ("image,labels\n,dog\n,cat\n", "has no image id"),
])  # fmt: skip
def test_the_refusal_of_a_file_says_what_to_do(tmp_path, content, words, is_sentence):
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(TableError, match=words) as refused:
        read_label_table(tmp_path / "t.csv")
    assert is_sentence(refused.value)
