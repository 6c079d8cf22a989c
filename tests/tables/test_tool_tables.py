"""Tables that R, CelebA, Labelbox and Flickr30k write, with their odd headers."""

import csv
import io
import json

import pytest

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18
from clipdemo.tables.captions_csv import read_captions
from clipdemo.tables.label_table import read_label_table


@pytest.fixture
def put(tmp_path):
    def put(content: str, name: str = "t.csv"):
        (tmp_path / name).write_text(content)
        return tmp_path / name

    return put


def rows_of(path) -> dict[str, tuple]:
    frame = read_label_table(path, None).frame
    rows = zip(frame["Labels"], frame["Caption"], strict=True)
    return dict(zip(frame["ImageID"], rows, strict=True))


@pytest.mark.parametrize("names", [("1", "2"), ("7", "9"), ("a", "b"), ("0", "1")])
@pytest.mark.parametrize("head", ['"image","labels","text"', '"ImageID","Labels","Caption"'])
def test_the_row_names_of_r_have_no_column_in_the_header(put, names, head):
    """Those of a filtered frame do not begin with one."""
    first, second = names
    path = put(f'{head}\n"{first}","1.jpg","dog","A dog, too"\n"{second}","2.jpg","cat","A cat"\n')
    assert rows_of(path) == {"1.jpg": (("dog",), "A dog, too"), "2.jpg": (("cat",), "A cat")}


def test_a_comma_in_every_caption_makes_no_row_names(put):
    path = put("ImageID,Labels,Caption\n1.jpg,18,A dog, too\n2.jpg,17,A cat, too\n")
    assert rows_of(path) == {"1.jpg": (("18",), "A dog, too"), "2.jpg": (("17",), "A cat, too")}
    path = put("image,labels,text\n1.jpg,18,A dog, too\n2.jpg,17,A cat, too\n")
    with pytest.raises(TableError, match="too many fields"):
        read_label_table(path)


def test_celebas_list_of_attributes_has_a_count_and_no_name_of_photos(put):
    path = put(
        "3\n5_o_Clock_Shadow Smiling Young \n000001.jpg -1  1  1\n000002.jpg -1 -1  1\n"
        "000003.jpg  1 -1 -1\n", "list_attr_celeba.txt",
    )  # fmt: skip
    table = read_label_table(path, None)
    assert table.frame["Labels"].tolist() == [
        ("Smiling", "Young"), ("Young",), ("5_o_Clock_Shadow",)
    ]  # fmt: skip
    assert table.lines.tolist() == [3, 4, 5]


def labelbox(*rows: tuple[str, str]) -> str:
    file = io.StringIO()
    head = ["ID", "DataRow ID", "Labeled Data", "Label", "Created By", "External ID"]
    lines = ([f"a{n}", "b", f"https://s.co/{n}", label, "a@b.org", n] for n, label in rows)
    csv.writer(file).writerows([head, *lines])
    return file.getvalue()


@pytest.mark.parametrize("labels", [COCO18, None], ids=["known", "own"])
def test_labelboxs_older_csv_has_objects_and_answers_as_labels(put, labels):
    answers = [{"title": "person", "value": "person"}]
    box = {"featureId": "x", "title": "dog", "value": "dog", "color": "#f00", "bbox": {}}
    said = {"objects": [box], "classifications": [{"title": "Seen", "answers": answers}]}
    one = {"objects": [], "classifications": [{"title": "Seen", "answer": {"title": "cat"}}]}
    none = {"objects": [], "classifications": []}
    path = put(labelbox(
        ("1.jpg", json.dumps(said)), ("2.jpg", json.dumps(one)), ("3.jpg", json.dumps(none)),
        ("4.jpg", "Skip"),
    ))  # fmt: skip
    table = read_label_table(path, labels)
    names = dict(zip(table.labels.ids, table.labels.names, strict=True))
    assert [[names[i] for i in ids] for ids in table.frame["Labels"]] == [
        ["dog", "person"], ["cat"], []
    ]  # fmt: skip
    assert table.account.to_dict()["left_out"] == [
        {"reason": "has not been annotated", "count": 1, "examples": ["line 5: 4.jpg"]}
    ]


SAID = [("1.jpg", "Two guys , outside ."), ("1.jpg", "Two men ."), ("2.jpg", "A dog .")]
CAPTIONS = {
    "results.csv": "image_name| comment_number| comment\n1.jpg| 0| Two guys , outside .\n"
                   "1.jpg| 1| Two men .\n2.jpg| 0| A dog .\n",
    "prompts.jsonl": "".join(json.dumps({"file_name": n, "prompt": c}) + "\n" for n, c in SAID),
    "llava.json": json.dumps([
        {"id": n, "image": n, "conversations": [
            {"from": "human", "value": "<image>\nDescribe it."}, {"from": "gpt", "value": c}
        ]}
        for n, c in SAID
    ]),
    "karpathy.json": json.dumps({"dataset": "coco", "images": [
        {"filepath": "val", "filename": n, "imgid": 0, "sentids": [0], "sentences": [{"raw": c}]}
        for n, c in SAID
    ]}),
}  # fmt: skip


@pytest.mark.parametrize("name", CAPTIONS)
def test_captions_have_other_names_where_there_are_no_labels(put, name):
    found, _ = read_captions(put(CAPTIONS[name], name))
    assert [(photo.removeprefix("val/"), caption) for photo, caption in found] == SAID


def test_a_comment_is_no_caption_where_there_is_one(put):
    found, _ = read_captions(put("image,caption,comment\n1.jpg,A dog,blurred\n"))
    assert found == [("1.jpg", "A dog")]


def test_the_answers_of_a_conversation_are_no_caption(tmp_path):
    said = [("human", "<image>\nWhich colour?"), ("gpt", "Red."), ("human", "And?"), ("gpt", "No.")]
    talk = [{"from": who, "value": text} for who, text in said]
    (tmp_path / "t.json").write_text(json.dumps([{"image": "1.jpg", "conversations": talk}]))
    assert read_captions(tmp_path / "t.json")[0] == [("1.jpg", "")]
