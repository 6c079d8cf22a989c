"""Tables in all forms give the same rows, and the account adds up."""

import csv
import io
import json

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18, LabelSet
from clipdemo.tables.label_table import read_label_table, write_label_table

ROWS = [
    ("1.jpg", ("dog",), "A dog on the grass"),
    ("2.jpg", ("cat", "person"), 'A woman, a cat and a "book"'),
    ("3.jpg", ("traffic light", "person"), "Zoë waits; nobody comes"),
    ("4.jpg", ("stop sign",), "Ein Schild\nund eine Straße"),
    ("5.jpg", (), "An empty street"),
]
IDS = dict(zip(COCO18.names, COCO18.ids, strict=True))
EXPECTED = [(n, tuple(IDS[name] for name in names), c) for n, names, c in ROWS]
STUDY = ("ImageID", "Labels", "Caption")


def text_of(rows, mark=",", head=STUDY, end="\n", start="") -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=mark, lineterminator=end)
    writer.writerows([head, *rows])
    return start + file.getvalue()


def labelled(how, mark=",", **options) -> str:
    return text_of([(n, how(names), c) for n, names, c in ROWS], mark, **options)


def ids(names) -> str:
    return " ".join(IDS[name] for name in names)


def excel(path) -> None:
    frame = pd.DataFrame(ROWS, columns=["filename", "labels", "text"])
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame([["made by", "somebody"]]).to_excel(writer, sheet_name="about", index=False)
        frame.assign(labels=[", ".join(n) for n in frame["labels"]]).to_excel(
            writer, sheet_name="labels", index=False
        )


def parquet(path) -> None:
    frame = pd.DataFrame(ROWS, columns=["file_name", "tags", "description"])
    frame.assign(tags=frame["tags"].map(list)).to_parquet(path)


def coco() -> str:
    images = [{"id": i, "file_name": n} for i, (n, *_) in enumerate(ROWS)]
    categories = [{"id": int(IDS[name]), "name": name} for name in COCO18.names]
    annotations = [
        {"image_id": i, "category_id": int(IDS[name]), "bbox": [0, 0, 1, 1]}
        for i, (_, names, _) in enumerate(ROWS)
        for name in (*names, *names)
    ]
    annotations += [{"image_id": i, "caption": c} for i, (*_, c) in enumerate(ROWS)]
    return json.dumps({"images": images, "categories": categories, "annotations": annotations})


def label_studio() -> str:
    tasks = [
        {
            "data": {"image": f"/data/local-files/?d=photos/{n}", "caption": c},
            "annotations": [
                {"was_cancelled": True, "result": [{"value": {"choices": ["bus"]}}]},
                {"result": [{"type": "choices", "value": {"choices": list(names)}}]},
            ],
        }
        for n, names, c in ROWS
    ]
    return json.dumps(tasks)


ONE_HOT = [(n, *(int(name in names) for name in COCO18.names), c) for n, names, c in ROWS]
WORDS = [(n, *("Yes" if name in names else "" for name in COCO18.names), c) for n, names, c in ROWS]
RECORDS = [{"file_name": n, "labels": names, "text": c} for n, names, c in ROWS]
PER_LABEL = [(n, name, c) for n, names, c in ROWS for name in names or [""]]
FORMS = {
    "ids.csv": labelled(ids),
    "names.csv": labelled("; ".join),
    "pipes.csv": labelled("|".join),
    "commas.csv": labelled(", ".join),
    "blanks.csv": labelled(" ".join),
    "upper.csv": labelled(lambda names: ";".join(name.upper() + " " for name in names)),
    "underscores.csv": labelled(lambda names: " ".join(n.replace(" ", "_") for n in names)),
    "json.csv": labelled(lambda names: json.dumps(names)),
    "python.csv": labelled(lambda names: str([IDS[name] for name in names])),
    "floats.csv": labelled(lambda names: ";".join(f"{IDS[name]}.0" for name in names)),
    "semicolon.csv": labelled(ids, ";"),
    "bar.csv": labelled(ids, "|"),
    "tab.tsv": labelled(ids, "\t"),
    "sep.csv": labelled(ids, ";", start="sep=;\r\n", end="\r\n"),
    "cp1252.csv": labelled(ids).encode("cp1252"),
    "utf16.csv": labelled(ids, "\t").encode("utf-16"),
    "utf16le.csv": labelled(ids).encode("utf-16-le"),
    "bom.csv": labelled(ids, ";", start="\ufeff"),
    "other.csv": labelled(ids, head=("FileName", "tags", "Description")),
    "order.csv": text_of(
        [(7, c, ids(names), n) for n, names, c in ROWS], head=("n", "text", "category", "path")
    ),
    "one-hot.csv": text_of(ONE_HOT, head=("image", *COCO18.names, "caption")),
    "one-hot-ids.csv": text_of(ONE_HOT, head=("image", *COCO18.ids, "caption")),
    "one-hot-words.csv": text_of(WORDS, ";", head=("image", *COCO18.names, "caption")),
    "per-label.csv": text_of(PER_LABEL),
    "metadata.jsonl": "\n".join(map(json.dumps, RECORDS)),
    "records.json": json.dumps(RECORDS),
    "instances.json": coco(),
    "label-studio.json": label_studio(),
    "labels.xlsx": excel,
    "labels.parquet": parquet,
}

COLUMN_WISE = {name: [row[at] for row in ROWS] for at, name in enumerate(("image", "tags", "text"))}


def yes_no(yes, no) -> str:
    rows = [(n, *(yes if k in names else no for k in COCO18.names), c) for n, names, c in ROWS]
    return text_of(rows, ";", head=("image", *COCO18.names, "caption"))


def records(how) -> str:
    found = [
        dict(zip(("image", "label", "caption"), (n, how(t), c), strict=True)) for n, t, c in ROWS
    ]
    return json.dumps(found)


def coco_with(change) -> str:
    found = json.loads(coco())
    change(found)
    return json.dumps(found)


def text_ids(found) -> None:
    for annotation in found["annotations"]:
        annotation["image_id"] = str(annotation["image_id"])


def beyond(found) -> None:
    found["annotations"] += [
        {"image_id": 0, "category_id": 999},
        {"image_id": 99, "category_id": 1},
    ]


def captions_of_images(found) -> None:
    found["annotations"] = [a for a in found["annotations"] if "category_id" in a]
    for image, (*_, caption) in zip(found["images"], ROWS, strict=True):
        image["caption"] = caption


def panoptic(found) -> None:
    for annotation in found["annotations"]:
        if "category_id" in annotation:
            annotation["segments_info"] = [{"category_id": annotation.pop("category_id")}]


def fiftyone() -> str:
    samples = [
        {
            "filepath": f"data/{n}",
            "tags": ["train"],
            "text": c,
            "ground_truth": {
                "_cls": "Classifications",
                "classifications": [{"_cls": "Classification", "label": name} for name in names],
            },
            "guess": {"_cls": "Classification", "label": "bus"},
        }
        for n, names, c in ROWS
    ]
    return json.dumps({"samples": samples})


def bracketed(names) -> str:
    return f"[{', '.join(names)}]"


def workbook(path, rows, merged=()) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cells in merged:
        book.active.merge_cells(cells)
    book.save(path)


def two_headers(path) -> None:
    names = list(COCO18.names)
    rows = [["image", "shown", *[None] * (len(names) - 1), "caption"], [None, *names, None]]
    rows += [[n, *(int(k in t) for k in names), c] for n, t, c in ROWS]
    workbook(path, rows, ["A1:A2", "B1:S1", "T1:T2"])


def titled(path) -> None:
    rows = [[n, "; ".join(t), c] for n, t, c in ROWS]
    workbook(path, [["Photos of a street"], [], ["file", "labels", "caption"], *rows], ["A1:C1"])


def spaced(mark) -> str:
    """With a space on both sides of each separator."""
    rows = [[n, ids(names), '"' + c.replace('"', '""') + '"'] for n, names, c in ROWS]
    return "\n".join(f" {mark} ".join(row) for row in [STUDY, *rows])


def quoted_once() -> str:
    file = io.StringIO()
    rows = [(n, ", ".join(names), c) for n, names, c in ROWS]
    csv.writer(file, quotechar="'", quoting=csv.QUOTE_ALL).writerows([STUDY, *rows])
    return file.getvalue()


ROWS_OF_TITLE = "Export of project Street\nmade by, somebody\n\n"
EXPORTS = {
    "title.csv": ROWS_OF_TITLE + labelled("; ".join, head=("file", "labels", "caption")),
    "title-study.csv": ROWS_OF_TITLE + labelled(ids),
    "comment.csv": "# made by a tool, of labels\n" + labelled(ids, ";"),
    "joined.csv": labelled(ids).replace("2.jpg", "ImageID,Labels,Caption\n2.jpg"),
    "blanks-too.csv": spaced(","),
    "blanks-too-semicolon.csv": spaced(";"),
    "header-of-two-lines.csv": labelled(ids, head=("image\nname", "labels", "caption")),
    "single.csv": quoted_once(),
    "utf16be.csv": labelled(ids).encode("utf-16-be"),
    "utf32.csv": labelled(ids).encode("utf-32"),
    "csv.xlsx": labelled("; ".join),
    "title.xlsx": titled,
    "two-headers.xlsx": two_headers,
    "label-studio-min.json": records(lambda t: {"choices": t} if len(t) > 1 else "".join(t)),
    "label-studio-boxes.json": records(lambda t: [{"x": 1, "rectanglelabels": [k]} for k in t]),
    "label-studio.csv": labelled(
        lambda t: json.dumps({"choices": t}), head=("image", "choice", "text")
    ),
    "objects.json": records(lambda t: {"bbox": [[0, 0, 1, 1]] * len(t), "category": t}),
    "ids-and-names.json": records(lambda t: [{"id": int(IDS[k]), "name": k} for k in t]),
    "create-ml.json": records(lambda t: [{"label": k, "coordinates": {}} for k in t]),
    "on-and-off.json": records(lambda t: {k: k in t for k in COCO18.names}),
    "fiftyone.json": fiftyone(),
    "columns.json": json.dumps(COLUMN_WISE),
    "pandas.json": pd.DataFrame(COLUMN_WISE).to_json(),
    "split.json": pd.DataFrame(COLUMN_WISE).to_json(orient="split"),
    "by-photo.json": json.dumps({n: {"tags": t, "caption": c} for n, t, c in ROWS}),
    "in-a-key.json": json.dumps({"version": 1, "photos": RECORDS}),
    "text-ids.json": coco_with(text_ids),
    "beyond.json": coco_with(beyond),
    "image-captions.json": coco_with(captions_of_images),
    "panoptic.json": coco_with(panoptic),
    "structs.parquet": lambda path: pd.DataFrame(
        [(n, [{"name": k} for k in t], c) for n, t, c in ROWS], columns=["image", "objects", "text"]
    ).to_parquet(path),
    "german.csv": yes_no("WAHR", "FALSCH"),
    "french.csv": yes_no("oui", "non"),
    "ticks.csv": yes_no("✓", ""),
    "comma.csv": yes_no("1,0", "0,0"),
    "scientific.csv": yes_no("1.000e+00", "0.000e+00"),
    "minus.csv": yes_no("1", "-1"),
    "label_1.csv": text_of(
        [(n, *(*t, "", "")[:2], c) for n, t, c in ROWS],
        head=("image", "label_1", "label_2", "text"),
    ),
    "label-label.csv": text_of(
        [(n, *(*t, "", "")[:2], c) for n, t, c in ROWS], head=("image", "label", "label", "text")
    ),
    "numpy.csv": labelled(lambda t: f"[{' '.join(map(repr, t))}]"),
    "numpy-ids.csv": labelled(lambda t: f"[{' '.join(IDS[k].rjust(2) for k in t)}]"),
    "numpy-2.csv": labelled(lambda t: bracketed([f"np.str_({k!r})" for k in t])),
    "set.csv": labelled(lambda t: str(set(t))),
    "postgres.csv": labelled(
        lambda t: f"{{{','.join(json.dumps(k) if ' ' in k else k for k in t)}}}"
    ),
    "brackets.csv": labelled(bracketed),
    "quoted.csv": labelled(lambda t: ", ".join(map(repr, t))),
    "slashes.csv": labelled("/".join),
    "pluses.csv": labelled(" + ".join),
    "wide-marks.csv": labelled("\uff1b".join),
    "lines.csv": labelled("\n".join, head=("image", "labels", "text")),
    "hyphens.csv": labelled(lambda t: ";".join(k.replace(" ", "-") for k in t)),
    "camels.csv": labelled(lambda t: ";".join(k.title().replace(" ", "") for k in t)),
    "invisible.csv": labelled(lambda t: ";".join("\u200b" + k for k in t)),
}


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


def test_lines_in_two_encodings_are_each_read_in_their_own(tmp_path):
    lines = ["ImageID,Labels,Caption\n", "1.jpg,1,Zoë\n", "2.jpg,1,café\n"]
    content = b"".join([lines[0].encode(), lines[1].encode(), lines[2].encode("cp1252")])
    table = read_label_table(put(tmp_path, "mixed.csv", content))
    assert table.frame["Caption"].tolist() == ["Zoë", "café"]
    assert table.account.read_as["encoding"] == "cp1252"


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
    table = read_label_table(put(tmp_path, "t.csv", "image,tags\nhttp://[::1?d=a%20b.jpg,dog\n"))
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
