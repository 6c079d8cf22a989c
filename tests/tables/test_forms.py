"""Tables in all forms give the same rows, and the account adds up."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.table_forms import (
    EXPECTED,
    EXPORTS,
    FORMS,
    ROWS,
    ROWS_OF_TITLE,
    STUDY,
    coco,
    text_of,
    workbook,
)

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18, LabelSet
from clipdemo.tables.label_table import read_label_table, write_label_table


def put(folder, name, content):
    path = folder / name
    if callable(content):
        content(path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows_of(table):
    return [
        (name.rpartition("/")[2], tuple(sorted(labels, key=int)), caption)
        for name, labels, caption in table.frame.itertuples(index=False, name=None)
    ]


def adds_up(account) -> dict:
    found = account.to_dict()
    assert found["used"] + sum(entry["count"] for entry in found["left_out"]) == found["rows"]
    json.dumps(found)
    return found


@pytest.mark.parametrize("labels", [COCO18, None], ids=["known", "own"])
@pytest.mark.parametrize("name", FORMS | EXPORTS)
def test_every_form_gives_the_same_rows(tmp_path, name, labels):
    path = put(tmp_path, name, (FORMS | EXPORTS)[name])
    table = read_label_table(path, labels, strict=True)
    if table.labels == COCO18:
        assert rows_of(table) == [(n, tuple(sorted(ids, key=int)), c) for n, ids, c in EXPECTED]
    else:  # where they are named, they are the table's own
        assert labels is None
        found = table.frame[["ImageID", "Labels", "Caption"]].itertuples(index=False, name=None)
        assert [(n.rpartition("/")[2], set(own), c) for n, own, c in found] == [
            (n, set(names), c) for n, names, c in ROWS
        ]
    account = adds_up(table.account)
    assert account["rows"] == account["used"] == (7 if name == "per-label.csv" else 5)


def test_an_imagefolder_has_its_labels_in_metadata_or_in_folders(tmp_path):
    for label in ("dog", "traffic light"):
        (tmp_path / label).mkdir()
        for number in (1, 2):
            (tmp_path / label / f"{number}.jpg").touch()
    (tmp_path / "dog" / "._1.jpg").touch()
    found = read_label_table(tmp_path).frame
    assert found["ImageID"].tolist() == [
        "dog/1.jpg", "dog/2.jpg", "traffic light/1.jpg", "traffic light/2.jpg"
    ]  # fmt: skip
    assert found["Labels"].tolist() == [("18",), ("18",), ("10",), ("10",)]
    put(tmp_path, "metadata.jsonl", FORMS["metadata.jsonl"])
    assert rows_of(read_label_table(tmp_path))[0][0] == "1.jpg"


def test_captions_of_coco_are_in_a_file_next_to_it(tmp_path):
    whole = json.loads(coco())
    said = [a for a in whole["annotations"] if "caption" in a]
    whole["annotations"] = [a for a in whole["annotations"] if "caption" not in a]
    path = put(tmp_path, "instances_val.json", json.dumps(whole))
    put(tmp_path, "captions_val.json", json.dumps({"annotations": said}))
    assert read_label_table(path).frame["Caption"].tolist() == [c for *_, c in ROWS]


def test_a_cell_merged_over_several_rows_is_the_name_in_each(tmp_path):
    rows = [["photo", "label"], ["1.jpg", "dog"], [None, "cat"], ["2.jpg", "bus"], [None, "car"]]
    workbook(tmp_path / "t.xlsx", rows, ["A2:A3"])
    table = read_label_table(tmp_path / "t.xlsx")
    assert table.frame["Labels"].tolist() == [("18", "17"), ("6",)]
    assert adds_up(table.account)["left_out"][0]["examples"] == ["line 5: "]


def test_a_joined_table_may_have_a_byte_order_mark_in_its_middle(tmp_path):
    content = text_of([("1.jpg", "1", "a")], start="\ufeff") + text_of(
        [("2.jpg", "1", "b")], start="\ufeff"
    )
    table = read_label_table(put(tmp_path, "t.csv", content))
    assert table.frame["Caption"].tolist() == ["a", "b"]


@pytest.mark.parametrize("name", ["path", "file_name", "src"])
def test_a_photo_may_be_a_record(tmp_path, name):
    content = json.dumps([{"image": {name: "https://a.org/1.jpg", "bytes": None}, "label": "dog"}])
    assert read_label_table(put(tmp_path, "t.json", content)).frame["ImageID"][0].endswith("1.jpg")


def test_coco_may_name_a_photo_by_its_url_only(tmp_path):
    found = json.loads(coco())
    found["images"] = [{"id": i["id"], "coco_url": i["file_name"]} for i in found["images"]]
    assert rows_of(read_label_table(put(tmp_path, "lvis.json", json.dumps(found))))[0][0] == "1.jpg"


def test_lines_keep_their_numbers_below_a_title(tmp_path):
    content = ROWS_OF_TITLE + text_of(
        [("1.jpg", "1", "a"), ("", "18", "b"), ("3.jpg", "zebra", "c")]
    )
    account = adds_up(read_label_table(put(tmp_path, "t.csv", content)).account)
    assert account["left_out"][0]["examples"] == ["line 6: "]
    assert account["repaired"]["lines above the header"] == 3


BROKEN = {
    "never closed": 'ImageID;Labels;Caption\n1.jpg;1;"a man\n2.jpg;18;b\n3.jpg;17;c\n',
    "inside": 'file_name\ttags\ttext\n1.jpg\t1\t"a "red" bus"\n2.jpg\t18\tb\n3.jpg\t17\tc\n',
    "a long one": f'path;tags;text\n1.jpg;1;"{"x" * 140_000}"\n2.jpg;18;b\n3.jpg;17;c\n',
    "an inch": 'path;tags;text\n5" pipe.jpg;1;a\n2.jpg;18;b\n3.jpg;17;c\n',
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_stray_quote_loses_no_row(tmp_path, content):
    """An unclosed one would turn the rest of the file into a caption."""
    table = read_label_table(put(tmp_path, "t.csv", content))
    assert table.frame["Labels"].tolist() == [("1",), ("18",), ("17",)]
    assert table.frame["Caption"].tolist()[1:] == ["b", "c"]
    assert adds_up(table.account)["rows"] == 3


def test_lines_of_json_end_only_at_line_ends(tmp_path):
    """JSON may contain U+2028 unescaped; and some programs write cp1252."""
    records = [dict(zip(("image", "labels", "text"), row, strict=True)) for row in ROWS[:3]]
    records[0]["text"] = "two\u2028lines"
    lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    table = read_label_table(put(tmp_path, "t.jsonl", lines))
    assert table.frame["Caption"][0] == "two\u2028lines"
    assert table.account.used == 3
    table = read_label_table(put(tmp_path, "t.json", f"[{json.dumps(records[2])}]"))
    assert table.frame["Caption"][0] == ROWS[2][2]
    content = json.dumps(records[2], ensure_ascii=False).encode("cp1252")
    table = read_label_table(put(tmp_path, "u.jsonl", content))
    assert table.frame["Caption"][0] == ROWS[2][2]


def test_an_invalid_url_is_a_name(tmp_path):
    table = read_label_table(
        put(tmp_path, "t.csv", "image,tags\nhttp://[::1/data/local-files/?d=a%20b.jpg,dog\n")
    )
    assert table.frame["ImageID"].tolist() == ["a b.jpg"]


def test_a_row_keeps_known_labels_and_the_account_lists_the_others(tmp_path):
    path = put(tmp_path, "t.csv", "ImageID,Labels,Caption\n1.jpg,18 44 18,a\n2.jpg,zebra dog,b\n")
    table = read_label_table(path)
    assert table.frame["Labels"].tolist() == [("18",), ("18",)]
    assert adds_up(table.account)["unknown_labels"] == {"44": 1, "zebra": 1}
    with pytest.raises(TableError, match="44"):
        read_label_table(path, strict=True)
    own = read_label_table(path, None)
    assert own.labels.names == ("18", "44", "dog", "zebra")


def test_rows_of_one_photo_are_merged(tmp_path):
    path = put(
        tmp_path, "t.csv",
        "ImageID,Labels,Caption\n1.jpg,1,\n2.jpg,18,b\n1.jpg,17,a\n1.jpg,1 2,another\n",
    )  # fmt: skip
    table = read_label_table(path)
    assert rows_of(table) == [("1.jpg", ("1", "2", "17"), "a"), ("2.jpg", ("18",), "b")]
    account = adds_up(table.account)
    assert account["rows"] == account["used"] == 4
    assert account["repaired"]["further rows of a photo joined"] == 2
    assert account["repaired"]["further captions of a photo not used"] == 1
    assert table.lines_of(0) == (2, 4, 5)


def test_a_row_without_labels_is_kept_without_true_labels_or_left_out(tmp_path):
    path = put(tmp_path, "t.csv", "ImageID,Labels,Caption\n1.jpg,1,a\n2.jpg,,b\n3.jpg,18,c\n")
    assert read_label_table(path).frame["Labels"].tolist() == [("1",), (), ("18",)]
    table = read_label_table(path, unlabelled="leave-out")
    assert table.frame["ImageID"].tolist() == ["1.jpg", "3.jpg"]
    (left,) = adds_up(table.account)["left_out"]
    assert left == {"reason": "has no labels", "count": 1, "examples": ["line 3: 2.jpg"]}


def test_labels_that_differ_in_case_or_unicode_form_are_one(tmp_path):
    path = put(
        tmp_path, "t.csv", "ImageID,Labels,Caption\n1.jpg,Dog;Café,\n2.jpg,dog ;Cafe\u0301,\n"
    )
    table = read_label_table(path, None)
    assert len(table.labels) == 2
    assert table.frame["Labels"].nunique() == 1
    own = LabelSet(("Hot Dog", "dog"), ("Hot Dog", "dog"))
    path = put(tmp_path, "u.csv", "ImageID,Labels,Caption\n1.jpg,hot dog dog,\n2.jpg,DOG,\n")
    assert read_label_table(path, own).frame["Labels"].tolist() == [("Hot Dog", "dog"), ("dog",)]


def test_a_column_is_never_guessed_between_two(tmp_path, is_sentence):
    path = put(tmp_path, "t.csv", "path,filename,tags\na/1.jpg,1.jpg,dog\n")
    with pytest.raises(TableError, match="--columns ImageID=path") as caught:
        read_label_table(path)
    assert is_sentence(caught.value)
    table = read_label_table(path, columns={"ImageID": "FileName"})
    assert table.frame["ImageID"].tolist() == ["1.jpg"]
    assert table.account.read_as["ImageID"] == "filename"


BAD = {
    "nothing.csv": (b"", "is empty"),
    "header.csv": (b"ImageID,Labels,Caption\n", "no rows"),
    "no-labels.csv": (b"ImageID,Caption\n1.jpg,a\n", "no column of labels"),
    "scores.csv": (b"image,dog,cat\n1.jpg,0.9,0.1\n", "neither yes nor no"),
    "commas.csv": (b"," * 2_000_000, "columns"),
    "no-names.csv": (b"Labels,Caption\n1,a\n", "no column of photo names"),
    "picture.csv": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not text"),
    "strange.csv": (b"ImageID,Labels,Caption\n1.jpg,zebra,a\n", "none of the requested labels"),
    "cut.json": (b'[{"image": "1.jpg", "labels": ["dog"]', "JSON"),
    "number.json": (b"7", "JSON in an unknown form"),
    "empty.json": (b"[]", "JSON in an unknown form"),
    "task.json": (b'[{"data": {"image": "1.jpg"}, "annotations": 7}]', "complete export"),
    "deep.json": (b'[{"image": %s1%s}]' % (b"[" * 5000, b"]" * 5000), "JSON|nested|labels"),
    "half.json": (b'{"images": [{}], "annotations": [], "categories": []}', "complete COCO"),
    "old.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "has a password"),
    "no-book.xlsx": (b"PK\3\4 no book", "workbook"),
    "photos.zip": (b"PK\3\4 photos", "archive, not a table"),
    "no.parquet": (b"PAR1 and nothing", "Parquet"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gets_one_sentence(tmp_path, name, is_sentence):
    content, said = BAD[name]
    with pytest.raises(TableError, match=said) as caught:
        read_label_table(put(tmp_path, name, content))
    assert is_sentence(caught.value)


def test_another_folder_than_an_imagefolder_gets_one_sentence(tmp_path, is_sentence):
    with pytest.raises(TableError, match="folder of photos per label") as caught:
        read_label_table(tmp_path)
    assert is_sentence(caught.value)


cells = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["1", "18", "dog", "", "1 44", '["dog"]', "[1", "nan", "1;18|2", '"', "1.jpg"]
)


@settings(max_examples=300)
@given(
    rows=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12),
    mark=st.sampled_from(",;\t|"),
    form=st.sampled_from(["csv", "loose", "json", "jsonl"]),
    damage=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=3),
    labels=st.sampled_from([COCO18, None]),
    unlabelled=st.sampled_from(["keep", "leave-out"]),
)
def test_the_account_of_any_table_adds_up(
    tmp_path_factory, rows, mark, form, damage, labels, unlabelled
):
    if form == "csv":
        content = text_of(rows, mark).encode()
    elif form == "loose":
        content = "\n".join(["ImageID,Labels,Caption", *map(",".join, rows)]).encode()
    else:
        records = [dict(zip(STUDY, row, strict=True)) for row in rows]
        content = (
            json.dumps(records) if form == "json" else "\n".join(map(json.dumps, records))
        ).encode()
    content = bytearray(content)
    for place, byte in damage:
        content[place % len(content)] = byte
    path = tmp_path_factory.getbasetemp() / f"damaged.{form.removeprefix('loose') or 'csv'}"
    path.write_bytes(content)
    try:
        table = read_label_table(path, labels, unlabelled=unlabelled)
    except TableError:
        return
    account = adds_up(table.account)
    assert sum(len(table.lines_of(row)) for row in range(len(table.frame))) == account["used"]
    assert table.frame["ImageID"].is_unique
    assert all(set(ids) <= set(table.labels.ids) for ids in table.frame["Labels"])


def test_a_written_table_reads_the_same(tmp_path):
    table = read_label_table(put(tmp_path, "t.csv", FORMS["names.csv"]))
    write_label_table(table.frame, tmp_path / "out.csv")
    again = read_label_table(tmp_path / "out.csv", strict=True)
    assert rows_of(again) == rows_of(table)
    assert not again.account.to_dict()["repaired"]
