"""One small table in the forms that people and their tools write it in."""

import csv
import io
import json

import openpyxl
import pandas as pd

from clipdemo.inputs.labels import COCO18

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
