"""Columns for one label each: none is lost, and a flag of a tool is not taken for a label."""

import csv
import io

import pytest

from clipdemo.errors import TableError
from clipdemo.inputs.labels import COCO18
from clipdemo.tables.label_table import read_label_table


@pytest.fixture
def read(tmp_path):
    """The table of these lines, each with its cells separated by commas."""

    def read(*lines: str, labels=None):
        path = tmp_path / "t.csv"
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return read_label_table(path, labels)

    return read


def names_of(table) -> list[set[str]]:
    names = dict(zip(table.labels.ids, table.labels.names, strict=True))
    return [{names[i] for i in ids} for ids in table.frame["Labels"]]


LABELS_NEXT_TO_FLAGS = {
    "camera trap": ["filename,species,night,count", "1.jpg,dog,TRUE,2", "2.jpg,cat,FALSE,1"],
    "exiftool": ["SourceFile,Subject,Flash", '1.jpg,"dog",No', "2.jpg,cat,Yes"],
    "photo library": ["filename,keyword,favorite,rating", "1.jpg,dog,1,5", "2.jpg,cat,0,3"],
    "unsplash": ["photo_id,keyword,suggested_by_user", "1.jpg,dog,f", "2.jpg,cat,t"],
    "split": ["image,target,is_train", "1.jpg,dog,1", "2.jpg,cat,0"],
    "pets": ["image,breed,male", "1.jpg,dog,1", "2.jpg,cat,0"],
    "films": ["image,Genre,seen", "1.jpg,dog,yes", "2.jpg,cat,no"],
    "melted": ["image,variable,value", "1.jpg,dog,1", "1.jpg,cat,0", "2.jpg,cat,1"],
    "object": ["image,object,is_train", "1.jpg,dog,1", "2.jpg,cat,0"],
    "agreeing": ["image,Genre,Dog,Cat", "1.jpg,['Dog'],1,0", "2.jpg,['Cat'],0,1"],
}


@pytest.mark.parametrize("lines", LABELS_NEXT_TO_FLAGS.values(), ids=LABELS_NEXT_TO_FLAGS)
def test_a_flag_next_to_the_labels_is_not_taken_for_them(read, lines):
    assert names_of(read(*lines)) == [{"dog"}, {"cat"}]


UNCERTAIN = {
    "timelapse": ["File,Species,Empty,Dark", "1.jpg,Fox,false,false", "2.jpg,,true,false"],
    "cleanlab": ["image,given_label,is_label_issue", "1.jpg,dog,False", "2.jpg,cat,True"],
    "given": ["image,given_label,hard,seen", "1.jpg,dog,0,1", "2.jpg,cat,1,1"],
    "animal": ["image,animal,night", "1.jpg,dog,TRUE", "2.jpg,cat,FALSE", "3.jpg,dog,TRUE"],
    "patient": ["image,subject,Edema,Fracture", "1.jpg,S1,1,0", "2.jpg,S2,0,1"],
    "turk": ["image,Answer.labels,Good,Bad", "1.jpg,dog|person,x,", "2.jpg,cat,,x"],
    "prodigy": ["image,accept,_view_id,_hash", "1.jpg,dog,choice,1", "2.jpg,cat,choice,1"],
    "a subject": ["image,subject,smile", "1.jpg,S1,1", "2.jpg,S2,0"],
    "counts": ["image,species,adults,young", "1.jpg,fox,1,0", "2.jpg,fox,0,2"],
    "german": ["image,Schlagworte,fertig", "1.jpg,Hund,ja", "2.jpg,Katze,nein"],
    "fashion": ["image,masterCategory,sale", "1.jpg,Apparel,1", "2.jpg,Shoes,0"],
    "classes": ["image,object class,blurred,wide", "1.jpg,dog,1,0", "2.jpg,cat,0,1"],
}


@pytest.mark.parametrize("lines", UNCERTAIN.values(), ids=UNCERTAIN)
def test_what_may_be_a_flag_or_a_label_is_refused(read, lines, is_sentence):
    with pytest.raises(TableError, match="--columns Labels=") as refused:
        read(*lines)
    assert is_sentence(refused.value)


ONE_HOT = {
    "patients": ["image,patient,Edema,Fracture", "1.jpg,Ann,1,0", "2.jpg,Bob,0,1"],
    "sites": ["image,site,Edema,Fracture", "1.jpg,Ulm,1,0", "2.jpg,Ulm,0,1"],
    "notes": ["image,Edema,Fracture,note", "1.jpg,1,0,blurred", "2.jpg,0,1,"],
    "chexpert": ["Path,Sex,Age,View,Edema,Fracture", "1.jpg,F,0,PA,1.0,", "2.jpg,F,68,AP,-1.0,1.0"],
    "sizes": ["image,width_px,year,Edema,Fracture", "1.jpg,640,2001,1,0", "2.jpg,640,2002,0,1"],
    "grades": ["image,grade,Edema,Fracture", "1.jpg,n,1,0", "2.jpg,b,0,1"],
    "brightness": ["image,brightness,Edema,Fracture", "1.jpg,0.41,1,0", "2.jpg,0.72,0,1"],
    "crowded": ["image,object_count,n_faces,Edema,Fracture", "1.jpg,2,0,1,0", "2.jpg,0,3,0,1"],
    "captions": ["image,caption,Edema,Fracture", "1.jpg,one,1,0", "2.jpg,two,0,1"],
    "sex": ["image,subject_sex,Edema,Fracture", "1.jpg,male,1,0", "2.jpg,female,0,1"],
    "ids": ["image,subject_id,Edema,Fracture", "1.jpg,p10,1,0", "2.jpg,p11,0,1"],
    "split": ["image,split,Edema,Fracture", "1.jpg,train,1,0", "2.jpg,test,0,1"],
}


@pytest.mark.parametrize("name", ["patient", "site", "photographer", "note", "camera_model"])
def test_a_single_label_may_stand_next_to_words_about_the_photo(read, name):
    assert names_of(read(f"image,{name},smile", "1.jpg,Ann,1", "2.jpg,Ann,0")) == [{"smile"}, set()]


@pytest.mark.parametrize("lines", ONE_HOT.values(), ids=ONE_HOT)
def test_words_and_measures_next_to_several_labels_are_left_out(read, lines):
    assert names_of(read(*lines)) == [{"Edema"}, {"Fracture"}]


NUMBERS = {
    "counts": ("1,0,2", "0,1,0", "1,0,3"),
    "averages": ("1,0,0.67", "0,1,0.33", "1,0,1"),
    "decimal commas": ('1,0,"0,67"', '0,1,"0,33"', "1,0,1"),
    "percentages": ("100%,0%,67%", "0%,100%,33%", "100%,0%,100%"),
    "many": ("1,0,120", "0,1,0", "1,0,1"),
    "question mark": ("1,0,1", "0,1,?", "1,0,1"),
    "in doubt": ("1,0,1", "0,1,maybe", "1,0,1"),
    "minus": ("1,0,1", "-1,1,-1", "1,0,1"),
    "their own names": ("dog,,person", ",cat,", "dog,,person"),
    "words and numbers": ("yes,no,2", "no,yes,0", "yes,no,1"),
}


@pytest.mark.parametrize("labels", [COCO18, None], ids=["known", "own"])
@pytest.mark.parametrize("rows", NUMBERS.values(), ids=NUMBERS)
def test_no_label_of_the_study_loses_its_column(read, rows, labels):
    lines = [f"{n}.jpg,{row}" for n, row in enumerate(rows)]
    table = read("image,dog,cat,person", *lines, labels=labels)
    assert names_of(table) == [{"dog", "person"}, {"cat"}, {"dog", "person"}]


@pytest.mark.parametrize("rows", [NUMBERS["counts"], NUMBERS["averages"], NUMBERS["in doubt"]])
def test_counts_and_scores_of_other_labels_are_read_and_the_account_says_so(read, rows):
    lines = [f"{n}.jpg,{row}" for n, row in enumerate(rows)]
    table = read("image,kettle,mug,toaster", *lines)
    assert names_of(table) == [{"kettle", "toaster"}, {"mug"}, {"kettle", "toaster"}]
    account = table.account.to_dict()
    said = account["read_as"].keys() & {"counts, yes from 1", "scores, yes from 0.5"}
    assert len(said) + len(account["repaired"]) == 1


@pytest.mark.parametrize("header", ["image,dog,cat", "image,kettle,mug"])
@pytest.mark.parametrize("cell", ["dgo", "see note", "female"])
def test_an_odd_cell_in_a_column_of_yes_and_no_is_refused_with_its_line(
    read, header, cell, is_sentence
):
    with pytest.raises(TableError, match=f"'{cell}' in line 3") as refused:
        read(header, "1.jpg,1,0", f"2.jpg,0,{cell}", "3.jpg,0,1", "4.jpg,1,0")
    assert is_sentence(refused.value)


def test_scores_of_numbered_classes_are_not_taken_for_their_names(read, is_sentence):
    with pytest.raises(TableError, match="scores and no names") as refused:
        read("image,class_0,class_1", "1.jpg,0.9,0.1", "2.jpg,0.05,0.95")
    assert is_sentence(refused.value)


def test_an_unknown_mark_in_the_column_of_a_study_label_is_refused(read, is_sentence):
    with pytest.raises(TableError, match="'§' in line 2") as refused:
        read("image,dog,cat", "1.jpg,§,", "2.jpg,,1")
    assert is_sentence(refused.value)


def test_names_of_labels_below_a_common_heading_are_read_as_pandas_writes_them(read):
    table = read("image,labels,labels", ",kettle,red mug", "1.jpg,1,0", "2.jpg,0,1")
    assert names_of(table) == [{"kettle"}, {"red mug"}]
    table = read("image,label,label", "1.jpg,kettle,red mug", "2.jpg,,", "3.jpg,,")
    assert names_of(table) == [{"kettle", "red mug"}, set(), set()]


@pytest.mark.parametrize("rows", [("1,2", "2,1"), ("0.9,0.1", "0.2,0.8"), ("a,b", "c,d")])
def test_numbers_and_words_without_a_yes_are_refused(read, rows, is_sentence):
    """One and two often stand for yes and no; and the scores of classes add up to one."""
    with pytest.raises(TableError, match="neither yes nor no") as refused:
        read("image,dog,cat", *(f"{n}.jpg,{row}" for n, row in enumerate(rows)))
    assert is_sentence(refused.value)


YES_AND_NO = [
    ("SANT", "FALSKT"), ("SAND", "FALSK"), ("SANN", "USANN"), ("TOSI", "EPÄTOSI"),
    ("PRAVDA", "NEPRAVDA"), ("IGAZ", "HAMIS"), ("DOĞRU", "YANLIŞ"), ("ΑΛΗΘΕΣ", "ΨΕΥΔΕΣ"),
    ("ADEVĂRAT", "FALS"), ("ІСТИНА", "ХИБНІСТЬ"), ("ja", "nej"), ("sì", "no"), ("da", "ne"),
    ("kyllä", "ei"), ("evet", "hayır"), ("はい", "いいえ"), ("○", "×"),  # noqa: RUF001
    ("有", "无"), ("예", "아니요"), ("+", "-"), ("*", ""), ("●", ""), ("√", ""), ("[x]", "[ ]"),
    ("✔️", "❌"), ("Checked", "Unchecked"), ("Selected", "Not Selected"), ("present", "absent"),
    ("positive", "negative"), ("pos", "neg"), ("b'\\x01'", "b'\\x00'"), ("👍", "👎"),
]  # fmt: skip


@pytest.mark.parametrize(("yes", "no"), YES_AND_NO)
def test_yes_and_no_are_read_in_the_words_and_marks_of_many_programs(read, yes, no):
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([("1.jpg", yes, no), ("2.jpg", no, yes)])
    assert names_of(read("image,kettle,mug", file.getvalue())) == [{"kettle"}, {"mug"}]


def test_circles_that_are_filled_or_empty_are_refused(read, is_sentence):
    """An empty one alone is a yes in Japan."""
    with pytest.raises(TableError, match="● and ○") as refused:
        read("image,kettle,mug", "1.jpg,●,○", "2.jpg,○,●")
    assert is_sentence(refused.value)
