"""For any damage to a table, each command's account of its rows adds up.

`CLIPDEMO_TABLES=2000 pytest tests/study/test_accounts.py` tries that many tables.
"""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.labelled import noise

from clipdemo.errors import ClipdemoError
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.inspection.batch import gather
from clipdemo.inspection.evaluation import evaluate_table
from clipdemo.inspection.scored_table import ScoredTable
from clipdemo.study.caption_table import accounted, caption_table
from clipdemo.study.encode import encode_table
from clipdemo.tables.label_table import read_label_table

TABLES = int(os.environ.get("CLIPDEMO_TABLES", "20"))
PHOTOS = ["1.jpg", "2.jpg", "sub/3.JPG", "Zoë.jpg", "broken.jpg"]

names = st.sampled_from(
    [*PHOTOS, "1", "./2.jpg", "C:\\pictures\\2.jpg", "3.jpg", "zoë.JPG", "gone.jpg", ""]
)
labels = st.sampled_from(["1", "18 1", "dog", "Dog; cat", "18.0", "44", "1 99", "", "[18, 1]", "?"])
captions = st.sampled_from(
    ["a dog", 'the "best" dog', "one, two", "two\nlines", "", "ein Hündchen"]
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for number, name in enumerate(PHOTOS):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"no photo" if name == "broken.jpg" else noise(number))
    return folder


class Silent:
    """A captioner that captions only every other photo."""

    name = "silent"

    def suggest(self, photo: bytes, count: int) -> list[str]:
        return ["something"] if len(photo) % 2 else []


@settings(max_examples=TABLES)
@given(
    rows=st.lists(st.tuples(names, labels, captions), min_size=1, max_size=8),
    mark=st.sampled_from(",;\t"),
    quoted=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-16", "cp1252"]),
    damage=st.lists(st.tuples(st.integers(20, 10**6), st.integers(0, 255)), max_size=2),
    unlabelled=st.sampled_from(["keep", "leave-out"]),
)
def test_the_account_of_every_command_adds_up(
    tmp_path_factory, tiny, photos, rows, mark, quoted, encoding, damage, unlabelled
):
    folder = tmp_path_factory.mktemp("table")
    table = folder / "t.csv"
    cells = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' if quoted else cell for cell in row]
             for row in rows]  # fmt: skip
    lines = [mark.join(row) for row in [["ImageID", "Labels", "Caption"], *cells]]
    content = bytearray("\n".join(lines).encode(encoding, "replace"))
    for place, byte in damage:
        content[place % len(content)] = byte
    table.write_bytes(content)
    reading = {"unlabelled": unlabelled}

    def read() -> tuple[dict, int]:
        found = read_label_table(table, tiny.card.labels, **reading)
        return found.account.to_dict(), sum(len(found.lines_of(r)) for r in found.frame.index)

    def evaluate() -> tuple[dict, int]:
        found = read_label_table(table, tiny.card.labels, **reading)
        return evaluate_table(tiny, found, PhotoSource(photos))["account"], None

    def score() -> tuple[dict, int]:
        scored = ScoredTable(tiny.card, str(table), str(photos), folder / "data", **reading)
        return scored.predictions(lambda: tiny).about["account"], None

    def encode() -> tuple[dict, int]:
        return encode_table(tiny.backbone, table, folder / "s", photos, **reading)["account"], None

    def caption() -> tuple[dict, int]:
        found = read_label_table(table, None, **reading)
        source = PhotoSource(photos)
        written, skipped = caption_table(Silent(), found.frame, source, folder / "c.csv")
        account = accounted(found, skipped, source)
        left = found.frame["ImageID"].isin(written["ImageID"])
        return account.to_dict(), sum(len(found.lines_of(r)) for r in found.frame.index[left])

    def batch() -> tuple[dict, int]:
        items, _, account = gather([photos], table)
        return account.to_dict(), len(items)

    for command in (read, evaluate, score, encode, caption, batch):
        try:
            account, used = command()
        except ClipdemoError:
            continue
        left = sum(entry["count"] for entry in account["left_out"])
        assert account["used"] + left == account["rows"], command.__name__
        assert used in (None, account["used"]), command.__name__
        assert all(1 <= len(e["examples"]) <= e["count"] for e in account["left_out"])
        json.dumps(account)
