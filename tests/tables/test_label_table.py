"""A label table reads the same in all its variants, and no row is lost silently."""

import csv
import io
import re
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18, LabelSet
from clipdemo.tables import label_table
from clipdemo.tables.any_form import read_rows
from clipdemo.tables.columns import find_columns
from clipdemo.tables.label_table import read_label_table, target_matrix, write_label_table
from clipdemo.tables.plain_csv import read_plain

ROWS = [
    ("1.jpg", ("1", "19"), "Men riding horses."),
    ("2.jpg", ("8", "3", "13"), 'a sign, it says "Stop" twice'),
    ("3.jpg", ("1",), 'a bus stop "/"'),
    ("4.jpg", ("18",), 'a dog, reading "Hammer Time"'),
    ("5.jpg", ("10",), "Red motor \nscooter, parked,\n\nin the sun."),
    ("6.jpg", ("1",), "see 123.jpg,1,a dog, in the middle"),
    ("7.jpg", ("17",), "a cat, and a comma at the end,"),
    ("8.jpg", ("1",), "ends in a slash/"),
    ("9.jpg", ("2", "1"), ""),
]
FORMS = list(product((False, True), repeat=3))


def loosely(rows, crlf=False, comma=False, bom=False):
    """The rows in the loose form: quotes only around commas and line breaks, none escaped."""
    lines = ["ImageID,Labels,Caption"]
    for image_id, ids, caption in rows:
        quote = '"' if "," in caption or "\n" in caption else ""
        lines.append(f"{image_id},{' '.join(ids)},{quote}{caption}{quote}")
    text = "".join(line + "," * comma + "\n" for line in lines)
    text = text.replace("\n", "\r\n") if crlf else text
    return b"\xef\xbb\xbf" * bom + text.encode()


def well_formed(rows, **options):
    text = io.StringIO()
    writer = csv.writer(text, **{"lineterminator": "\n", **options})
    writer.writerow(["ImageID", "Labels", "Caption"])
    writer.writerows((image_id, " ".join(ids), caption) for image_id, ids, caption in rows)
    return text.getvalue().encode()


def rows_of(table):
    return list(table.frame.itertuples(index=False, name=None))


def frame_of(rows):
    return pd.DataFrame(rows, columns=["ImageID", "Labels", "Caption"])


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "table.csv"

    def read(content, **options):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_label_table(path, **options)

    return read


@pytest.mark.parametrize(("crlf", "comma", "bom"), FORMS)
def test_loose_forms_read_alike(read, crlf, comma, bom):
    """Line ends, a comma after every row and a byte order mark change no row."""
    table = read(loosely(ROWS, crlf, comma, bom), strict=True)
    assert rows_of(table) == ROWS
    assert bool(table.account.repaired.get("CRLF line endings")) == crlf
    assert table.account.repaired.get("trailing comma", 0) == comma * len(ROWS)
    assert ("byte order mark" in table.account.repaired) == bom
    assert table.account.repaired["unescaped quotes"] == 3


@pytest.mark.parametrize("options", [{}, {"quoting": csv.QUOTE_ALL}, {"lineterminator": "\r\n"}])
def test_well_formed_reads_alike(read, options):
    """Doubled quotes are unescaped, quoted ids and labels accepted, nothing counts as repaired."""
    table = read(well_formed(ROWS, **options), strict=True)
    assert rows_of(table) == ROWS
    assert not table.account.to_dict()["repaired"].keys() - {"CRLF line endings"}


def test_comma_on_every_line_is_not_part_of_a_caption(read):
    """A comma at the end of every line is removed inside captions, too."""
    content = loosely([*ROWS[:4], ("5.jpg", ("1",), "a\n\n\nb")]).replace(b"\n", b",\n")
    assert rows_of(read(content))[-1][2] == "a\n\n\nb"


def test_lone_carriage_returns_end_lines(read):
    """A table with old Mac line endings is read row by row."""
    table = read(loosely(ROWS[:4]).replace(b"\n", b"\r"))
    assert rows_of(table) == ROWS[:4]
    assert table.account.repaired["CR line endings"] == 5


def test_blank_lines_belong_to_no_caption(read):
    """Blank lines at the end and between rows, and rows of commas only, are no text or rows."""
    table = read("ImageID,Labels,Caption\n1.jpg,1,a dog\n\n,,\n2.jpg,1,a cat\n\n \n\n", strict=True)
    assert [caption for *_, caption in rows_of(table)] == ["a dog", "a cat"]


def test_unquoted_line_break_is_kept(read):
    """A line that does not look like a row continues the caption, even if it has commas."""
    table = read("ImageID,Labels,Caption\n1.jpg,1,a dog\nred, blue, green\n2.jpg,1,b\n")
    assert rows_of(table)[0] == ("1.jpg", ("1",), "a dog\nred, blue, green")
    assert table.account.to_dict()["repaired"] == {"line break in caption": 1}


def test_row_inside_well_formed_quotes_is_text(read):
    """If quotes can be trusted, a caption may contain a line that looks like a row."""
    rows = [("1.jpg", ("1",), "see\n5.jpg,1,a dog"), ("2.jpg", ("1",), "b")]
    assert rows_of(read(well_formed(rows))) == rows


def test_quote_before_the_end_does_not_merge_rows(read):
    """An unescaped quote at a caption's end does not pair with the quote of a later row."""
    rows = [("1.jpg", ("1",), 'a, "b"'), ("2.jpg", ("1",), "c"), ("3.jpg", ("1",), 'he said "d"')]
    assert rows_of(read(loosely(rows))) == rows


def test_literal_double_quotes_in_a_loose_table(read):
    """Two adjacent quotes stay two if the table's other captions do not double theirs."""
    rows = [("1.jpg", ("1",), 'a, says ""'), *((f"{i}.jpg", ("1",), 'b, "c" d') for i in (2, 3))]
    assert rows_of(read(loosely(rows))) == rows


def left_out(table) -> list[str]:
    return [example for _, examples in table.account.left_out.values() for example in examples]


@pytest.mark.parametrize(
    ("line", "named"), {"2.jpg,1": "2.jpg", ",1,a dog": "", "2.jpg,1,a\0b": "2.jpg"}.items()
)
def test_bad_row_is_listed_and_the_others_kept(read, line, named):
    """A row that cannot be read is neither dropped silently nor taken for caption text."""
    head = 'ImageID,Labels,Caption\n1.jpg,1,"two\nlines"\n'
    content = f"{head}{line}\n3.jpg,3,a car\n"
    table = read(content)
    assert [row[0] for row in rows_of(table)] == ["1.jpg", "3.jpg"]
    assert left_out(table) == [f"line 4: {named}"]
    with pytest.raises(TableError, match=r"line 4.*1 row in all"):
        read(content, strict=True)


def test_all_bad_rows_are_counted(read):
    """The strict error names the first bad line and how many there are."""
    content = "ImageID,Labels,Caption\n1.jpg,1\n2.jpg,1,b\n\n3.jpg,3\n"
    assert left_out(read(content)) == ["line 2: 1.jpg", "line 5: 3.jpg"]
    with pytest.raises(TableError, match=r"line 2.*2 rows in all"):
        read(content, strict=True)


def test_columns_in_any_order_and_case(read):
    """Columns are found by name; others are ignored."""
    table = read(' labels , IMAGEID,split,"Caption"\n1 3,a.png,val,"x, y"\n5,b.png,,z\n')
    assert rows_of(table) == [("a.png", ("1", "3"), "x, y"), ("b.png", ("5",), "z")]
    table = read('Caption,ImageID,Labels\n"x, "y" z",a.png,1 3\nred\ncar,b.png,5\n')
    assert rows_of(table) == [("a.png", ("1", "3"), 'x, "y" z'), ("b.png", ("5",), "red\ncar")]


def test_caption_column_may_be_missing(read):
    """Labels are read even without captions."""
    assert rows_of(read("ImageID,Labels\n1.jpg,1 2\n2.jpg,3\n")) == [
        ("1.jpg", ("1", "2"), ""),
        ("2.jpg", ("3",), ""),
    ]


@pytest.mark.parametrize("names", [("a", "b", "c"), ("001", "002", "003"), ("x y", "z", "w v")])
def test_image_ids_need_no_extension(read, names):
    """Ids that are not file names still separate rows."""
    rows = [(name, ("1", "2"), f"caption {i}") for i, name in enumerate(names)]
    assert rows_of(read(loosely(rows), strict=True)) == rows


def test_unknown_id_in_a_table_without_extensions(read):
    """A row with an unknown label is a row there, too."""
    assert [row[0] for row in rows_of(read("ImageID,Labels,Caption\na,1,x\nb,99,y\n"))] == [
        "a",
        "b",
    ]


def test_own_labels(read):
    """Ids may be separated by semicolons or bars, and may then contain spaces."""
    own = LabelSet(names=("Dog", "Light"), ids=("dog", "traffic light"))
    table = read("ImageID,Labels\n1.jpg,traffic light;dog\n2.jpg,dog | traffic light\n", labels=own)
    assert [ids for _, ids, _ in rows_of(table)] == [
        ("traffic light", "dog"),
        ("dog", "traffic light"),
    ]


NO_TABLE = {
    "empty": b"",
    "blank": b"\n\n",
    "header only": b"ImageID,Labels,Caption\n\n",
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "zip": b"PK\x03\x04\x14\0\0\0\x08\0abc\n",
    "other columns": b"name,Labels\n1.jpg,1\n",
}


@pytest.mark.parametrize("content", NO_TABLE.values(), ids=NO_TABLE)
def test_an_invalid_table_is_refused_in_one_sentence(read, content):
    """A wrong file gives one sentence, not a parser's traceback."""
    with pytest.raises(TableError) as error:
        read(content)
    message = str(error.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert re.search("[;:]", message)  # what happened; what to do


def test_missing_column_is_named(read):
    """The message names the column and those found."""
    with pytest.raises(TableError, match=r"no column of photo names \(found: name, Labels\)"):
        read(b"name,Labels\n1.jpg,1\n")


def test_missing_file_and_folder(tmp_path):
    """A path that is not a file is a TableError, too."""
    for path, said in (
        (tmp_path, "folder of photos per label"),
        (tmp_path / "none.csv", "cannot be"),
    ):
        with pytest.raises(TableError, match=said):
            read_label_table(path)


def test_write_reads_back_identically(tmp_path):
    """pandas and this reader agree on what was written; nothing else is left in the folder."""
    path = tmp_path / "clean.csv"
    write_label_table(frame_of(ROWS), path)
    assert rows_of(read_label_table(path, strict=True)) == ROWS
    frame = pd.read_csv(path, keep_default_na=False, dtype=str)
    assert frame["Caption"].tolist() == [caption for *_, caption in ROWS]
    assert list(tmp_path.iterdir()) == [path]


def test_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    """A failed write leaves the older file intact and no temporary one."""
    path = tmp_path / "clean.csv"
    path.write_text("old")
    monkeypatch.setattr(pd.DataFrame, "to_csv", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_label_table(frame_of(ROWS), path)
    assert [p.read_text() for p in tmp_path.iterdir()] == ["old"]


def test_target_matrix():
    """One row per photo, one column per label in logit order."""
    targets = target_matrix(frame_of(ROWS[:2]), COCO18)
    assert targets.dtype == np.float32
    assert targets.shape == (2, 18)
    assert [np.flatnonzero(row).tolist() for row in targets] == [[0, 17], [2, 7, 11]]
    with pytest.raises(TableError, match="'19'"):
        target_matrix(frame_of(ROWS[:1]), LabelSet(names=("person",), ids=("1",)))


label_lists = st.lists(st.sampled_from(COCO18.ids), min_size=1, max_size=4, unique=True).map(tuple)
captions = st.text(st.sampled_from("ab ,\"/\n'é.1"), max_size=12)


def tables(caption):
    pairs = st.lists(st.tuples(label_lists, caption), min_size=1, max_size=6)
    return pairs.map(lambda rows: [(f"{i}.jpg", *row) for i, row in enumerate(rows)])


def is_clear(caption):
    """Whether the loose form is unambiguous about the caption's bounds and quotes."""
    like_a_row = re.search(r'",*\n|\n("|\S*,["\d ]+(,|\Z)|\S+,,\w|.*\.[a-z]\w+"?,)', caption)
    quotes_stay = not caption.startswith('"') and '""' not in caption
    return quotes_stay and not like_a_row and caption == caption.strip()


many = settings(deadline=None)


@many
@given(rows=tables(captions.filter(is_clear)), form=st.sampled_from(FORMS))
def test_any_loose_table_reads_back(read, rows, form):
    """No row of a loose table is lost, merged, invented or changed, for any captions."""
    breaks = "".join(caption for *_, caption in rows)
    assume(not form[1] or breaks.count("\n") < 3)  # else a comma may seem to be on every line
    assert rows_of(read(loosely(rows, *form), strict=True)) == rows


@many
@given(rows=tables(captions), crlf=st.booleans())
def test_any_well_formed_table_reads_back(read, rows, crlf):
    """The same for well-formed tables, which are never ambiguous."""
    content = well_formed(rows)
    assert rows_of(read(content.replace(b"\n", b"\r\n" if crlf else b"\n"), strict=True)) == rows


@many
@given(content=st.text(st.sampled_from('12a,"\n\r .'), max_size=60), named=st.booleans())
def test_plain_and_general_reading_agree(tmp_path_factory, content, named):
    """The fast reading, if it applies, gives the same as the general one."""
    path = tmp_path_factory.getbasetemp() / "both.csv"
    content = content.replace("a", ".jpg,1," if named else "a")
    raw = f"ImageID,Labels,Caption\n0.jpg,1,x\n{content}\n".encode()
    path.write_bytes(raw)
    plain = read_plain(path, COCO18)
    if plain is not None:
        found = partial(find_columns, labels=COCO18)
        general = read_rows(path, found, COCO18)
        table = label_table._understood(general, COCO18, "keep", path)
        assert list(plain[0].itertuples(index=False, name=None)) == rows_of(table)
        assert not table.account.left_out
