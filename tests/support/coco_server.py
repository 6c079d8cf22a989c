"""COCO on a loopback port: zips in its format with drawn photos, from a server with faults.

It handles HEAD, GET and Range; each file can be given a fault.
"""

import hashlib
import io
import json
import zipfile
from random import Random

from clipdemo.scenes import Scene, random_scene
from support.loopback import LoopbackServer, QuietHandler

FAULTS = (
    "silent",  # takes the request and never answers
    "hang",  # always stops in the middle of the file
    "cut",  # always closes the connection in the middle
    "stutter",  # closes the connection once in the middle, then resumes where requested
    "busy",  # error 503 once
    "no range",  # closes the connection once and does not support Range
    "changed",  # closes the connection once and then has another file of the same length
    "short",  # after closing the connection once, reports a shorter file than it sent
    "no tag",  # no ETag, no Last-Modified, closes the connection once
    "half",  # has only half of the file
    "damaged",  # some bytes in the middle are wrong
    "missing",  # error 404
    "broken",  # error 500
)

# COCO's categories, and the ids that none of them has.
NAMES = (
    "person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,"
    "fire hydrant,stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,"
    "bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,"
    "sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,"
    "bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,"
    "carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,"
    "laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,"
    "book,clock,vase,scissors,teddy bear,hair drier,toothbrush"
)
_UNUSED = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
CATEGORIES = dict(zip((i for i in range(1, 91) if i not in _UNUSED), NAMES.split(","), strict=True))
NUMBERS = {name: number for number, name in CATEGORIES.items()}


class DrawnCoco:
    """Zips in the form of COCO's.

    Attributes:
        files: bytes by path on the server.
        labels: names of the categories of each photo, by its file name.
        captions: of each photo, its first by annotation id.
    """

    def __init__(self, count: int = 40, photos: str = "val") -> None:
        rng, part = Random(count), f"{photos}2017"
        scenes = {rng.randrange(1, 600_000): random_scene(seed) for seed in range(count)}
        names = {number: f"{number:012d}.jpg" for number in scenes}
        instances = [a for n, scene in scenes.items() for a in _instances(n, scene, rng)]
        for number, entry in enumerate(instances):
            entry["id"] = 900_000 + number
        captions = [_caption(n, scene, order) for order in range(2) for n, scene in scenes.items()]
        rng.shuffle(instances)
        rng.shuffle(captions)
        self.labels = {name: set() for name in names.values()}
        for entry in instances:
            self.labels[names[entry["image_id"]]].add(CATEGORIES[entry["category_id"]])
        self.captions = {names[n]: scene.caption for n, scene in scenes.items()}
        images = [
            {"license": 1, "file_name": names[n], "height": 144, "width": 192, "id": n}
            for n in scenes
        ]
        rng.shuffle(images)
        categories = [{"supercategory": "x", "id": i, "name": n} for i, n in CATEGORIES.items()]
        content = {"info": {"year": 2017}, "licenses": [{"id": 1, "name": "A"}], "images": images}
        annotations = {
            f"annotations/instances_{part}.json": content
            | {"annotations": instances, "categories": categories},
            f"annotations/captions_{part}.json": content | {"annotations": captions},
        }
        jpegs = {f"{part}/{names[n]}": _jpeg(scene) for n, scene in scenes.items()}
        self.files = {
            "/annotations/annotations_trainval2017.zip": _zip(
                {name: json.dumps(value).encode() for name, value in annotations.items()}
            ),
            f"/zips/{part}.zip": _zip({f"{part}/": b""} | jpegs),
        }


def _instances(number: int, scene: Scene, rng: Random) -> list[dict]:
    width, height = scene.image.size
    found = []
    for order, (name, (left, top, right, bottom)) in enumerate(scene.objects):
        x, y = left * width, top * height
        w, h = (right - left) * width, (bottom - top) * height
        entry = {"area": w * h, "image_id": number, "bbox": [x, y, w, h]}
        crowd = name == "person" and order == 0  # COCO gives crowds run lengths
        outline = [[x, y, x + w, y, x + w, y + h, x, y + h]]
        runs = {"counts": [5, 9, width * height - 14], "size": [height, width]}
        entry |= {"segmentation": runs if crowd else outline, "iscrowd": int(crowd)}
        found.append(entry | {"category_id": NUMBERS[name]})
    if number % 3 == 0:
        box = {"area": 4.0, "bbox": [1, 1, 2, 2], "segmentation": [[1, 1, 3, 1, 3, 3]]}
        other = NUMBERS[rng.choice(("pizza", "teddy bear", "tv"))]
        found.append(box | {"iscrowd": 0, "image_id": number, "category_id": other})
    return found


def _caption(number: int, scene: Scene, order: int) -> dict:
    text = f"{scene.caption} \n" if order == 0 else f"Another one of {number}"
    return {"image_id": number, "id": 2 * number + order, "caption": text}


def _jpeg(scene: Scene) -> bytes:
    file = io.BytesIO()
    scene.image.save(file, "JPEG", quality=90)
    return file.getvalue()


def _zip(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


class CocoServer(LoopbackServer):
    """Serves `files`, {path: bytes}, as a context manager.

    Attributes:
        faults: fault by the end of the path.
        asked: method, path and Range of each request so far.
        sent: bytes of content so far.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(_Handler)
        self.files = files
        self.asked: list[tuple[str, str, str | None]] = []
        self.sent = 0
        self.broke_off: set[str] = set()


class _Handler(QuietHandler):
    server: CocoServer

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        server = self.server
        server.asked.append((self.command, self.path, self.headers.get("Range")))
        fault = next((f for end, f in server.faults.items() if self.path.endswith(end)), None)
        before = self.path in server.broke_off
        if fault == "silent":
            server.closing.wait()
            self.close_connection = True
            return
        if fault == "busy" and not before:
            server.broke_off.add(self.path)
            return self.refuse(503)
        if fault == "broken":
            return self.refuse(500)
        if fault == "missing" or self.path not in server.files:
            return self.refuse(404)
        content = _content(server.files[self.path], fault, before)
        first = 0 if fault == "no range" else self.first_byte()
        if first and first >= len(content):
            return self.refuse(416)
        self._start(content, first, fault)
        if body:
            self._send(content, first, fault, before)

    def _start(self, content: bytes, first: int, fault: str | None) -> None:
        self.send_response(206 if first else 200)
        size = len(content)
        self.send_header("Content-Length", str(size - first))
        if first:
            self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
        if fault != "no tag":
            self.send_header("ETag", f'"{hashlib.md5(content).hexdigest()}"')
        self.end_headers()

    def _send(self, content: bytes, first: int, fault: str | None, before: bool) -> None:
        middle = len(content) // 2
        once = fault in ("stutter", "no range", "changed", "short", "no tag")
        breaks = fault in ("hang", "cut") or (once and not before)
        part = content[first:middle] if breaks else content[first:]
        self.server.sent += len(part)  # before the client can have received it
        self.wfile.write(part)
        self.wfile.flush()
        if breaks:
            self.server.broke_off.add(self.path)
            if fault == "hang":
                self.server.closing.wait()
            self.close_connection = True


def _content(content: bytes, fault: str | None, before: bool) -> bytes:
    """The server's version of the file."""
    middle = len(content) // 2
    if fault == "half":
        return content[:middle]
    if fault == "damaged":
        return content[:middle] + bytes(40) + content[middle + 40 :]
    old = {"changed": len(content), "short": 4 * len(content)}
    if fault in old and not before:
        return bytes(old[fault])
    return content
