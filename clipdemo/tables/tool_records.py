"""What annotation tools write for one photo in JSON, as a record of ImageID, Labels and Caption."""

from __future__ import annotations

import json
from collections.abc import Iterator

from clipdemo.tables.label_values import LIKELY, leaves, parts

NOT_ANNOTATED = "has not been annotated"


class NotAnnotated(dict):
    """A record of a photo whose labels nobody has given yet."""


def as_record(row: dict) -> dict:
    """The record of one photo by any of the tools; other records unchanged."""
    if "source-ref" in row:
        return _of_manifest(row)
    for keys, read in _OF_TOOLS:
        if keys <= row.keys():
            return read(row)
    return _of_fiftyone(row)


def is_one_photo(found: dict) -> bool:
    """Whether an object is what a tool writes for one photo."""
    return any(keys <= found.keys() for keys, _ in _OF_TOOLS)


def _of_labelme(row: dict) -> dict:
    flags = [name for name, on in (row.get("flags") or {}).items() if on is True]
    return {"ImageID": row["imagePath"], "Labels": flags + [s["label"] for s in row["shapes"]]}


def _of_darwin(row: dict) -> dict:
    """A file of V7 Darwin's."""
    return {"ImageID": row["item"]["name"], "Labels": [a["name"] for a in row["annotations"]]}


def _of_old_darwin(row: dict) -> dict:
    """A file of V7 Darwin's before its version 2; other records unchanged."""
    name = row["image"].get("original_filename") if isinstance(row["image"], dict) else None
    return _of_darwin({**row, "item": {"name": name}}) if name else row


def _of_prodigy(row: dict) -> dict:
    """A line of Prodigy's, with the chosen options or with regions."""
    spans = [span["label"] for span in row.get("spans") or ()]
    found = {**row, "ImageID": row["image"], "Labels": row.get("accept", spans)}
    return found if row["answer"] == "accept" else NotAnnotated(found)


def _of_kili(row: dict) -> dict:
    """A photo of Kili's, whose jobs have chosen categories, or regions with some."""
    labels = []
    for label in row["labels"]:
        for job in label["jsonResponse"].values():
            for part in (job, *job.get("annotations", ())):
                labels += [category["name"] for category in part.get("categories", ())]
    found = {**row, "ImageID": row["externalId"], "labels": labels}
    return found if row["labels"] else NotAnnotated(found)


def _of_custom_vision(row: dict) -> dict:
    """An image of Custom Vision's, with tags of its own and of its regions."""
    tags = [tag["tagName"] for tag in (*row["tags"], *(row.get("regions") or ()))]
    found = {**row, "ImageID": row["originalImageUri"], "tags": list(dict.fromkeys(tags))}
    return found if tags else NotAnnotated(found)


def _of_karpathy(row: dict) -> dict:
    """A photo of Karpathy's splits, with its folder in a field of its own."""
    return {"ImageID": f"{row['filepath']}/{row['filename']}", "Caption": row["sentences"]}


def _of_llava(row: dict) -> dict:
    """A conversation of LLaVA's, in which the only answer is a caption."""
    said = [part["value"] for part in row["conversations"] if part.get("from") == "gpt"]
    return {**row, "Caption": said[0] if len(said) == 1 else ""}


def _of_labelbox(row: dict) -> dict:
    """A line of Labelbox's export, with labels in each of its projects."""
    about, labels = row["data_row"], []
    given = [label for project in row["projects"].values() for label in project.get("labels", ())]
    for label in given:
        labels += labelbox_names(label.get("annotations") or {})
    name = about.get("external_id") or about.get("global_key") or about["row_data"]
    return (dict if given else NotAnnotated)({"ImageID": name, "Labels": labels})


def _of_old_labelbox(row: dict) -> dict:
    label = labelbox_label(row["Label"])
    found = {**row, "ImageID": row.get("External ID") or row["Labeled Data"]}
    return NotAnnotated(found, Label=[]) if label is None else {**found, "Label": label}


def labelbox_label(cell: object) -> list[str] | None:
    """The names of labels in the column `Label` of Labelbox's older exports; None for `Skip`."""
    try:
        found = json.loads(cell) if isinstance(cell, str) else cell
    except ValueError:
        return None
    return labelbox_names(found) if isinstance(found, dict) and found else None


def labelbox_names(found: dict) -> list[str]:
    """The names of the objects, and the answers of the classifications."""
    names = [_name(part) for part in found.get("objects") or ()]
    for part in found.get("classifications") or ():
        for key in ("radio_answer", "answer", "checklist_answers", "answers"):
            chosen = part.get(key) if isinstance(part.get(key), list) else [part.get(key)]
            names += [_name(answer) for answer in chosen if isinstance(answer, dict)]
    return list(dict.fromkeys(names))


def _name(part: dict) -> str:
    return str(part.get("name") or part.get("title") or part["value"])


_OF_TOOLS = (
    ({"imagePath", "shapes"}, _of_labelme),
    ({"data_row", "projects"}, _of_labelbox),
    ({"Label", "Labeled Data"}, _of_old_labelbox),
    ({"item", "annotations"}, _of_darwin),
    ({"image", "annotations"}, _of_old_darwin),
    ({"image", "accept", "answer"}, _of_prodigy),
    ({"image", "spans", "answer"}, _of_prodigy),
    ({"externalId", "labels"}, _of_kili),
    ({"originalImageUri", "tags"}, _of_custom_vision),
    ({"filepath", "filename", "sentids"}, _of_karpathy),
    ({"conversations"}, _of_llava),
)
"""The keys by which a tool's record is known, and how to read it."""


def _of_manifest(row: dict) -> dict:
    """A line of SageMaker's augmented manifest, with the names of classes from their metadata."""
    named = {
        key: row[f"{key}-metadata"] for key in row if isinstance(row.get(f"{key}-metadata"), dict)
    }
    if not named:
        return row
    labels = []
    for key, about in named.items():  # Rekognition writes one for each label
        said = row[key]["annotations"] if isinstance(row[key], dict) else row[key]
        said = said if isinstance(said, list) else [about.get("class-name", said)]
        numbers = [part.get("class_id") if isinstance(part, dict) else part for part in said]
        classes = about.get("class-map") or {}
        labels += [classes.get(str(number), number) for number in numbers]
    rest = {k: v for k, v in row.items() if k not in named and not k.endswith("-metadata")}
    return {**rest, "ImageID": row["source-ref"], "Labels": labels}


def _of_fiftyone(sample: dict) -> dict:
    """A FiftyOne sample, whose tags are not labels, as a record; other records unchanged."""
    kinds = ("Classification", "Classifications", "Detection", "Detections")
    fields = {k: v for k, v in sample.items() if isinstance(v, dict) and v.get("_cls") in kinds}
    if not fields:
        return sample
    field = fields.get("ground_truth", next(iter(fields.values())))
    rest = {key: value for key, value in sample.items() if key not in ("tags", *fields)}
    return {**rest, "Labels": parts(field)}


def of_label_studio(task: dict) -> dict:
    """A task of Label Studio's JSON export as a record."""
    chosen, written, finished = [], [], False
    for annotation in task.get("annotations") or task.get("completions") or ():
        if annotation.get("was_cancelled"):
            continue
        finished = True
        for result in annotation.get("result", ()):
            value = result.get("value", {})
            kind = result.get("type")
            found = value.get("choices") or value.get(kind) if isinstance(value, dict) else None
            if kind == "taxonomy" and isinstance(found, list):
                found = leaves(found)
            if kind == "textarea":
                whole = isinstance(value, dict) and "x" not in value  # not of a region
                written += [value.get("text")] if whole else []
            else:
                chosen += found if isinstance(found, list) else []
    if not {"annotations", "completions", "predictions"} & task.keys():
        return task["data"]
    caption = {"Caption": written} if written else {}
    record = {**caption, **task["data"], "Labels": list(dict.fromkeys(map(str, chosen)))}
    return record if finished else NotAnnotated(record)


def of_datumaro(found: dict) -> Iterator[dict]:
    """Datumaro's items, whose labels are indices."""
    names = [label["name"] for label in found["categories"]["label"]["labels"]]
    for item in found["items"]:
        said = item.get("annotations") or ()
        numbers = [part.get("label_id") for part in said]
        yield {
            "ImageID": (item.get("image") or {}).get("path") or item["id"],
            "Labels": [names[n] for n in numbers if isinstance(n, int) and 0 <= n < len(names)],
            "Caption": [part["caption"] for part in said if part.get("caption")],
        }


def of_vott(found: dict) -> Iterator[dict]:
    """The assets of VoTT's export, each a photo with tagged regions."""
    for asset in found["assets"].values():
        tags = [tag for region in asset.get("regions") or () for tag in region["tags"]]
        yield {"ImageID": asset["asset"]["name"], "Labels": tags}


def of_megadetector(found: dict) -> Iterator[dict]:
    """MegaDetector's images, whose detections have scores, and categories or species."""
    species = found.get("classification_categories") or {}
    for image in found["images"]:
        detections = image.get("detections")
        if not isinstance(detections, list):
            yield NotAnnotated(image, Labels=[])
            continue
        named = [_with_species(detection, species) for detection in detections]
        yield {**image, "detections": named, "Labels": named}


def _with_species(detection: dict, species: dict[str, str]) -> dict:
    """A detection with its likely species, if it was classified."""
    likely = [number for number, score in detection.get("classifications", ()) if score >= LIKELY]
    return {**detection, "name": species[likely[0]]} if likely and species else detection
