"""Many photos at once: the same results as one by one, whatever other files there are."""

import csv
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from support.pictures import write_three_and_a_damaged

from clipdemo.errors import ClipdemoError, PhotoError, TableError
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.inspection.batch import Item, Result, gather, predict_items
from clipdemo.inspection.batch_files import Rule, entry, write_results
from clipdemo.inspection.unfinished import Unfinished
from clipdemo.model.classifier import Prediction
from clipdemo.tables.safe_csv import defused

CAPTIONS = {"0.png": "a dog on a bench", "1.png": "a red bus, and a car", "2.png": ""}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, photos) -> Path:
    return write_three_and_a_damaged(tmp_path_factory.mktemp("photos"), photos)


@pytest.fixture(scope="module")
def table(folder) -> Path:
    path = folder.parent / "captions.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("ImageID", "Caption"), *CAPTIONS.items()])
    return path


def everything(classifier, items: list[Item], captioner=None) -> list:
    return [result for results in predict_items(classifier, items, captioner) for result in results]


def test_it_gives_what_predict_gives_one_by_one(tiny, folder, table):
    items, notices, account = gather([folder], table)
    assert (notices, account.photos_without_row) == ([], 1)
    found = everything(tiny, items)
    assert [r.item.name for r in found] == list(CAPTIONS)
    for result in found:
        expected = tiny.predict(folder / result.item.name, CAPTIONS[result.item.name])
        assert result.prediction.scores.keys() == expected.scores.keys()
        for mode, scores in expected.scores.items():
            assert result.prediction.scores[mode] == pytest.approx(scores, abs=1e-4)
    assert not any(r.written or r.problem for r in found)


def test_a_folder_a_zip_and_its_files_are_the_same(tiny, folder, tmp_path):
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", folder))
    forms = [[folder], [packed], sorted(folder.iterdir())]
    first, *others = [everything(tiny, gather(paths)[0]) for paths in forms]
    for other in others:
        assert [r.item.name for r in other] == [r.item.name for r in first]
        assert [r.problem for r in other] == [r.problem for r in first]
        assert [r.prediction for r in other] == [r.prediction for r in first]


def test_a_bad_photo_is_named_in_one_sentence_and_the_others_go_on(tiny, folder, is_sentence):
    found = {r.item.name: r for r in everything(tiny, gather([folder])[0])}
    assert is_sentence(found.pop("bad.png").problem)
    assert len(found) == 3
    assert all(r.prediction.scores["image"] and r.problem is None for r in found.values())


def test_a_row_without_its_photo_keeps_its_caption(tiny, folder, tmp_path, is_sentence):
    table = tmp_path / "t.csv"
    table.write_text("caption,imageid\na dog,gone.png\na cat,bad.png\n")
    gone, bad = everything(tiny, gather([folder], table)[0])
    assert "gone.png" in gone.problem
    assert is_sentence(bad.problem)
    for result, caption in ((gone, "a dog"), (bad, "a cat")):
        expected = tiny.predict(None, caption).scores
        assert list(result.prediction.scores) == ["text"]
        assert result.prediction.scores["text"] == pytest.approx(expected["text"], abs=1e-4)


def test_captions_alone_need_no_photo(tiny, table):
    found = everything(tiny, gather([], table)[0])
    assert [list(r.prediction.scores) for r in found] == [["text"], ["text"], []]
    assert all(r.problem is None for r in found)


def test_a_loose_label_table_will_do(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text('ImageID,Labels,Caption\n0.png,1 18,a "quoted" word, loosely\n1.png,1,fine\n')
    items, *_ = gather([], table)
    assert [item.caption for item in items] == ['a "quoted" word, loosely', "fine"]


def test_only_line_ends_separate_the_rows_of_a_table(tmp_path):
    table = tmp_path / "t.csv"
    table.write_bytes('ImageID,Caption\r\n0.png,a dog\u2028runs\r\n1.png,"a\ncat"\r\n'.encode())
    items, *_ = gather([], table)
    assert [item.caption for item in items] == ["a dog\u2028runs", "a\ncat"]


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "ImageID,Caption\n", "ImageID,Caption\n0.png,one, two\n", "\0\1"]
)
def test_an_invalid_table_is_refused(tmp_path, is_sentence, text):
    table = tmp_path / "t.csv"
    table.write_text(text)
    with pytest.raises(TableError) as raised:
        gather([], table)
    assert is_sentence(raised.value)


def test_only_photos_without_a_caption_get_a_models(tiny, folder, table):
    class Parrot:
        """The same caption for every photo, since a model's differ from machine to machine."""

        name = "parrot"

        def suggest(self, photo, count=3):
            return ["a horse in a field"][:count]

    found = everything(tiny, gather([folder], table)[0], Parrot())
    assert [r.written for r in found] == [False, False, True]
    assert found[2].prediction.scores["text"] == pytest.approx(
        tiny.predict(None, "a horse in a field").scores["text"], abs=1e-6
    )


def test_no_items_are_refused():
    with pytest.raises(ClipdemoError):
        gather([])


def test_no_more_than_the_limit(folder, table):
    items, notices, _ = gather([folder], limit=2)
    assert len(items) == 2
    assert "first 2" in notices[0]
    items, notices, _ = gather([], table, limit=3)
    assert len(items) == 3
    assert notices == []


@pytest.fixture
def hostile(tmp_path, folder) -> Path:
    """A zip with names that point elsewhere, other files, and a Mac's side files."""
    path = tmp_path / "hostile.zip"
    good = (folder / "0.png").read_bytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("a/deep/er/0.png", "../../outside.png", "/etc/absolute.png", "=1+1.png"):
            file.writestr(name, good)
        for name in ("__MACOSX/._0.png", ".DS_Store", "a/.hidden.png", "a/Thumbs.db", "a/empty/"):
            file.writestr(name, b"")
        file.writestr("notes.txt", "no photo")
        file.writestr("inner.zip", path.name.encode())
        file.writestr("large.png", bytes(21 * 2**20))
    return path


def test_a_hostile_zip_costs_a_sentence_for_each_bad_file(tiny, hostile, tmp_path, is_sentence):
    before = sorted(tmp_path.rglob("*"))
    found = {}
    items, notices, _ = gather([hostile])
    assert notices == ["2 other files were skipped, such as inner.zip."]
    for results in predict_items(tiny, items):
        found |= {result.item.name: result for result in results}
    entries = [entry(result, Rule()) for result in found.values()]
    write_results(tmp_path.parent / "r.csv", entries, tiny.card, Rule())
    assert "\n'=1+1.png," in (tmp_path.parent / "r.csv").read_text("utf-8"), "no formula"
    bad = {"large.png"}
    assert found.keys() - bad == {
        "a/deep/er/0.png", "../../outside.png", "/etc/absolute.png", "=1+1.png"
    }  # fmt: skip
    for name, result in found.items():
        assert bool(result.problem) == (name in bad)
        assert name not in bad or is_sentence(result.problem)
    assert sorted(tmp_path.rglob("*")) == before  # nothing was unpacked anywhere


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06 hardly"])
def test_a_damaged_zip_is_refused(tmp_path, is_sentence, data):
    (tmp_path / "p.zip").write_bytes(data)
    with pytest.raises(TableError) as raised:
        gather([tmp_path / "p.zip"])
    assert is_sentence(raised.value)


def test_spreadsheet_formulas_are_escaped():
    for cell in ("=1+1", "+1", "-1", "@sum", "\tx", "\rx"):
        assert defused(cell) == f"'{cell}"
    for cell in (-0.5, 3, "", "a=b", "'=1", "dog"):
        assert defused(cell) is cell


RULES = [Rule(), Rule("fixed", 0.3), Rule("mcut"), Rule("top-k", k=2), Rule("recall", recall=0.8)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule)
def test_the_files_say_which_thresholds_decided(tiny, folder, table, tmp_path, rule):
    items, *_ = gather([folder], table)
    entries = [entry(r, rule) for results in predict_items(tiny, items) for r in results]
    for name in ("r.csv", "r.json"):
        write_results(tmp_path / name, entries, tiny.card, rule, scores=True)
    written = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert written["rule"] == rule.rule
    assert written["backbone"] == "tiny"
    with (tmp_path / "r.csv").open(newline="", encoding="utf-8-sig") as file:
        lines = list(csv.DictReader(file))
    assert (
        [e["photo"] for e in written["photos"]] == [ln["photo"] for ln in lines] == list(CAPTIONS)
    )
    for found, line in zip(written["photos"], lines, strict=True):
        prediction = tiny.predict(folder / found["photo"], found["caption"])
        for mode, scores in found["scores"].items():
            expected = prediction.labels(mode, rule.rule, rule.threshold, rule.k, rule.recall)
            assert found["labels"][mode] == expected
            assert line[f"{mode} labels"] == "; ".join(expected)
            thresholds = found["thresholds"][mode]
            for label, score in scores.items():
                assert float(line[f"{mode} {label}"]) == score
                assert float(line[f"{mode} {label} threshold"]) == thresholds[label]
                if abs(score - thresholds[label]) > 2e-4:
                    assert (score > thresholds[label]) == (label in expected)
        missing = set(tiny.modes) - found["scores"].keys()
        assert all(line[f"{mode} dog"] == "" for mode in missing)


def test_the_scores_in_the_file_are_those_that_decide():
    """A score just below its threshold is rounded to the threshold, so it is on, as on the page."""
    found = Prediction({"image": {"dog": 0.49996, "cat": 0.49994}}, {"image": {}}, "tiny")
    written = entry(Result(Item("0.png"), None, False, found, None, None, None), Rule("fixed", 0.5))
    assert written["scores"] == {"image": {"dog": 0.5, "cat": 0.4999}}
    assert written["labels"] == {"image": ["dog"]}


def test_a_sentence_has_neither_the_path_of_a_zip_nor_all_of_a_long_name(
    tiny, tmp_path, is_sentence
):
    """Visitors read these sentences, and a name in a zip may have 64 KB."""
    path, name = tmp_path / "p.zip", "n" * 60_000 + ".png"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(name, bytes(21 * 2**20))
        file.writestr("torn.png", b"these bytes")
    path.write_bytes(path.read_bytes().replace(b"these bytes", b"other bytes"))
    problems = [found.problem for found in everything(tiny, gather([path])[0])]
    with pytest.raises(PhotoError) as raised:
        PhotoSource(path).read("m" * 60_000)
    for problem in (*problems, raised.value):
        assert is_sentence(problem)
        assert str(tmp_path) not in str(problem)
        assert len(str(problem)) < 500


def test_a_table_inside_a_zip_is_used_and_side_files_are_no_photos(tiny, folder, tmp_path):
    """As packed on a phone and by a Windows program."""
    path = tmp_path / "phone.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in ("0.png", "1.png"):
            file.write(folder / name, f"DCIM\\{name}")
            file.writestr(f"__MACOSX/DCIM/._{name}", b"\0\5\x16\7")
            file.write(folder / name, f"@eaDir/{name}/SYNOPHOTO_THUMB_S.jpg")
        file.writestr("Thumbs.db", bytes(99))
        file.writestr("captions.csv", "file_name;text\n0.png;a dog\n1.png;a cat\n")
    for limit in (None, 500):
        items, _, account = gather([path], limit=limit)
        found = [(item.name, item.member, item.caption) for item in items]
        assert found == [("0.png", "DCIM/0.png", "a dog"), ("1.png", "DCIM/1.png", "a cat")]
        assert account.used == 2
    assert not any(result.problem for result in everything(tiny, items))


def test_a_large_table_inside_a_zip_is_not_read_for_a_visitor(tmp_path, is_sentence):
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("captions.csv", "ImageID,Caption\n" + "0.png,a dog\n" * 300_000)
    with pytest.raises(ClipdemoError) as raised:
        gather([path], limit=500)
    assert is_sentence(raised.value)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("captions.xlsx", "a workbook may unpack to anything")
    with pytest.raises(ClipdemoError, match="nothing to score"):
        gather([path], limit=500)


def test_photos_of_the_same_name_are_told_apart(folder, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        shutil.copy(folder / "0.png", tmp_path / name)
    shutil.copy(folder / "1.png", tmp_path / "b")
    items, *_ = gather([tmp_path / "a", tmp_path / "b", tmp_path / "b"])
    assert [item.name for item in items] == ["a/0.png", "b/0.png", "1.png"]
    (tmp_path / "t.csv").write_text("ImageID,Caption\nb/0.png,of b\n0.png,of either\n")
    (sure, doubtful), *_ = gather([tmp_path / "a", tmp_path / "b"], tmp_path / "t.csv")
    assert sure.file == tmp_path / "b"
    assert doubtful.file is None
    assert "may be" in doubtful.problem


def test_an_unfinished_file_that_breaks_is_one_sentence(tmp_path, is_sentence):
    def use() -> None:
        with Unfinished(tmp_path / "r", "run") as unfinished:
            (tmp_path / "r.unfinished").write_bytes(b"not a database" * 1000)
            unfinished.add([(Item("1.jpg"), {})])

    with pytest.raises(ClipdemoError) as caught:
        use()
    assert is_sentence(caught.value)
