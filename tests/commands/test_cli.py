"""The command line: pure JSON for programs, and one sentence for each error."""

import json
import re

import pytest
from PIL import Image
from support.paths import ROOT
from typer.main import get_command

from clipdemo.commands.app import app
from clipdemo.inputs.images import CUT_OFF
from clipdemo.inputs.labels import COCO18
from clipdemo.inputs.photo_source import PhotoSource
from clipdemo.inspection.evaluation import evaluate_table
from clipdemo.tables.label_table import LabelTable, read_label_table

TABLE = (
    'ImageID,Labels,Caption\n0.png,18,"a dog, alone"\n1.png,6 3,a bus and a car\n2.png,2,a field\n'
)


@pytest.fixture
def folder(tmp_path, photos):
    """Three photos, one that is damaged, and a table of them."""
    for i, photo in enumerate(photos[:3]):
        photo.save(tmp_path / f"{i}.png")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG but no photo")
    (tmp_path / "table.csv").write_text(TABLE)
    return tmp_path


@pytest.fixture
def fails(clipdemo_cli, is_sentence):
    """Runs a command that must end with code 2 and one sentence on standard error."""

    def run(*args: object) -> str:
        code, out, err = clipdemo_cli(*args)
        assert code == 2
        assert out == ""
        assert is_sentence(err), err
        return err

    return run


def test_predict_prints_pure_json(clipdemo_cli, folder, tiny):
    code, out, _ = clipdemo_cli(
        "predict", folder / "0.png", folder / "1.png", "--caption", "a “dog”", "--json"
    )
    assert code == 0
    first, second = json.loads(out)
    expected = tiny.predict(folder / "0.png", "a “dog”").to_dict()
    assert first["photo"] == str(folder / "0.png")
    assert second["photo"] == str(folder / "1.png")
    assert first["caption"] == second["caption"] == "a “dog”"
    assert first["rule"] == "tuned"
    assert first["labels"] == expected["labels"]
    for mode, scores in expected["scores"].items():
        assert first["scores"][mode] == pytest.approx(scores, abs=1e-4)
    assert first["scores"] != second["scores"]


@pytest.mark.parametrize(
    ("options", "count"), [(["--rule", "top-k", "--k", "5"], 5), (["--rule", "fixed"], None)]
)
def test_predict_uses_the_given_rule(clipdemo_cli, tiny, options, count):
    _, out, _ = clipdemo_cli("predict", "--caption", "a dog", *options, "--json")
    (found,) = json.loads(out)
    assert list(found["labels"]) == ["text"]
    assert found["photo"] is None
    expected = tiny.predict(None, "a dog").labels("text", options[1], k=count or 3)
    assert found["labels"]["text"] == expected
    assert count in (None, len(expected))


def test_predict_shows_a_table_with_every_label(clipdemo_cli, folder):
    code, out, _ = clipdemo_cli("predict", folder / "0.png", "--caption", "a dog")
    assert code == 0
    for word in (*COCO18.names, "image", "text", "concat"):
        assert word in out
    assert " on" in out


def test_one_bad_photo_does_not_stop_the_others(clipdemo_cli, folder, is_sentence):
    code, out, err = clipdemo_cli(
        "predict", folder / "0.png", folder / "bad.png", folder / "1.png", "--json"
    )
    assert code == 2
    assert is_sentence(err)
    first, bad, last = json.loads(out)
    assert "image" in first["scores"]
    assert "image" in last["scores"]
    assert is_sentence(bad["error"])
    assert "scores" not in bad


def test_a_truncated_photo_is_scored_and_every_command_says_so(clipdemo_cli, folder, tmp_path):
    for name in ("0.jpg", "1.jpg"):
        Image.open(folder / "0.png").convert("RGB").save(tmp_path / name)
    (tmp_path / "1.jpg").write_bytes((tmp_path / "1.jpg").read_bytes()[:-2])
    code, out, err = clipdemo_cli("predict", tmp_path / "0.jpg", tmp_path / "1.jpg", "--json")
    assert code == 0
    assert [found.get("notice") for found in json.loads(out)] == [None, CUT_OFF]
    assert CUT_OFF in err
    _, _, err = clipdemo_cli("batch", tmp_path / "1.jpg", "--out", tmp_path / "r.csv")
    assert f"1.jpg: {CUT_OFF}" in err
    (tmp_path / "t.csv").write_text("ImageID,Labels,Caption\n0.jpg,1,\n1.jpg,18,\n")
    _, out, _ = clipdemo_cli(
        "evaluate", "--table", tmp_path / "t.csv", "--photos", tmp_path, "--json"
    )
    account = json.loads(out)["account"]
    assert account["repaired"] == {"photos without their end, read as far as they go": 1}


@pytest.mark.parametrize("caption", ["a dog [/b] here", "[red]a dog[/red] [link=x]"])
def test_brackets_in_a_caption_are_only_text(clipdemo_cli, caption):
    """They are markup for the library that prints the table."""
    code, out, _ = clipdemo_cli("predict", "--caption", caption)
    assert code == 0
    assert caption in out


def test_a_file_name_that_is_not_utf8_is_printed(clipdemo_cli, folder):
    """Python's string for such a name cannot be printed as it is."""
    code, out, err = clipdemo_cli("predict", folder / "caf\udce9.png", folder / "0.png", "--json")
    assert code == 2
    assert "Traceback" not in err
    assert len(json.loads(out)) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("predict", "--caption"), ("predict --caption=", "--caption"),
        ("predict --caption dog --rule best", "top-k"),
        ("predict --caption dog --backbone ViT-B-32-quickgelu/nobody", "nobody"),
        ("predict --caption dog --checkpoint FOLDER", "FOLDER"),
        ("evaluate --table FOLDER/table.csv --photos FOLDER/nowhere", "FOLDER/nowhere"),
        ("evaluate --table FOLDER/table.csv --photos FOLDER/table.csv", "FOLDER/table.csv"),
        ("evaluate --table FOLDER/refused.csv", "refused.csv"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused(fails, folder, arguments, words):
    (folder / "refused.csv").write_text("ImageID,Labels,Caption\n0.png,99,no such label\n")
    given = [argument.replace("FOLDER", str(folder)) for argument in arguments.split()]
    assert words.replace("FOLDER", str(folder)) in fails(*given)


def test_table_reports_rows_labels_and_the_account(clipdemo_cli, tmp_path):
    loose = '\ufeffImageID,Labels,Caption\n0.png,1 18,a "quoted" word, loosely\n1.png,1\n'
    loose += "".join(f"{i}.png,1 2 3 18 17,a\n" for i in range(2, 5)) + "9.png,99 1,no such\n"
    (tmp_path / "loose.csv").write_text(loose)
    code, out, _ = clipdemo_cli(
        "table", tmp_path / "loose.csv", "--json", "--out", tmp_path / "clean.csv"
    )
    assert code == 0
    report = json.loads(out)
    assert report["rows"] == 5
    assert list(report["labels"]) == list(COCO18.names)
    assert report["labels"]["person"] == 5
    account = report["account"]
    assert (account["rows"], account["used"]) == (6, 5)
    assert account["repaired"]["byte order mark"] == 1
    assert account["unknown_labels"] == {"99": 1}
    (left,) = account["left_out"]
    assert left["examples"] == ["line 3: 1.png"]

    clean = read_label_table(tmp_path / "clean.csv", strict=True)
    assert not clean.account.to_dict()["repaired"]
    assert clean.frame["Caption"][0] == 'a "quoted" word, loosely'

    code, out, _ = clipdemo_cli("table", tmp_path / "loose.csv")
    assert code == 0
    assert "5 of 6 rows are used" in out
    assert "1.png" in out


def test_a_table_of_other_labels_is_read_with_its_own(clipdemo_cli, tmp_path):
    (tmp_path / "own.csv").write_text("ImageID,Labels\n0.png,red bus;dog\n1.png,dog\n2.png,\n")
    code, out, _ = clipdemo_cli("table", tmp_path / "own.csv", "--json")
    assert code == 0
    assert json.loads(out)["labels"] == {"dog": 2, "red bus": 1}
    code, out, _ = clipdemo_cli(
        "table", tmp_path / "own.csv", "--json", "--unlabelled", "leave-out"
    )
    (left,) = json.loads(out)["account"]["left_out"]
    assert left == {"reason": "has no labels", "count": 1, "examples": ["line 4: 2.png"]}


def test_table_strict_refuses_what_it_would_leave_out(fails, clipdemo_cli, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("ImageID,Labels,Caption\n0.png,1\n1.png,1,fine\n")
    assert "line 2" in fails("table", path, "--strict", "--out", tmp_path / "clean.csv")
    assert not (tmp_path / "clean.csv").exists()
    assert clipdemo_cli("table", path)[0] == 0


def test_columns_can_be_named(fails, clipdemo_cli, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("path,filename,tags\na/0.png,0.png,dog\n")
    assert "--columns" in fails("table", path)
    assert clipdemo_cli("table", path, "--columns", "ImageID=filename")[0] == 0
    assert "--columns" in fails("table", path, "--columns", "photo=filename")


@pytest.mark.parametrize("command", [["table"], ["evaluate", "--table"]])
@pytest.mark.parametrize("text", [None, "", "a,b\n1,2\n", "ImageID,Labels,Caption\n"])
def test_an_invalid_table_is_refused(fails, tmp_path, command, text):
    path = tmp_path / "t.csv"
    if text is not None:
        path.write_text(text)
    assert "t.csv" in fails(*command, path)


@pytest.mark.parametrize("command", [["table"], ["evaluate", "--table"]])
def test_an_output_that_cannot_be_written_is_refused(clipdemo_cli, folder, is_sentence, command):
    missing = folder / "no" / "such" / "folder" / "out"
    code, _, err = clipdemo_cli(*command, folder / "table.csv", "--out", missing)
    assert code == 2
    sentence = err.splitlines()[-1]
    assert is_sentence(sentence)
    assert str(missing.parent) in sentence


def test_evaluate_writes_and_prints_the_report(clipdemo_cli, folder, tiny):
    code, out, _ = clipdemo_cli(
        "evaluate", "--table", folder / "table.csv", "--photos", folder,
        "--out", folder / "report.json", "--json",
    )  # fmt: skip
    assert code == 0
    report = json.loads(out)
    assert json.loads((folder / "report.json").read_text()) == report
    frame = read_label_table(folder / "table.csv").frame
    expected = evaluate_table(tiny, LabelTable.of(frame), PhotoSource(folder))
    assert report["modes"].keys() == expected["modes"].keys()
    for mode, figures in expected["modes"].items():
        assert report["modes"][mode]["map"] == pytest.approx(figures["map"])
    assert report["skipped_photos"] == []
    assert report["account"]["used"] == report["account"]["rows"] == report["n"]


def test_evaluate_accounts_for_every_row(clipdemo_cli, fails, folder):
    with (folder / "table.csv").open("a") as file:
        file.write("gone.png,1,a man\nbad.png,1,a man\nsilent.png,1,\nunknown.png,1 99,a man\n")
    args = ["evaluate", "--table", folder / "table.csv", "--photos", folder]
    code, out, _ = clipdemo_cli(*args, "--json")
    assert code == 0
    report = json.loads(out)
    account = report["account"]
    assert [entry["ImageID"] for entry in report["skipped_photos"]] == [
        "gone.png", "bad.png", "silent.png", "unknown.png"
    ]  # fmt: skip
    assert account["used"] == report["n"] == account["rows"] - 1
    (left,) = account["left_out"]
    assert left["reason"] == "its photo is missing"
    assert left["examples"][0].endswith("silent.png")
    assert account["unknown_labels"] == {"99": 1}
    assert report["modes"]["image"]["n"] == 3

    code, out, _ = clipdemo_cli(*args)
    assert code == 0
    assert "rows are used" in out
    assert "concat" in out
    assert "99" in fails(*args, "--strict")


@pytest.mark.parametrize(
    ("mode", "words"),
    [("image", "give a photo"), ("text", "give a --caption"), ("concat", "give both")],
)
def test_heads_without_their_input_say_what_they_need(
    fails, folder, vit_folder, write_heads, mode, words
):
    write_heads(folder / "heads", f"local-dir:{vit_folder}", 32, modes=(mode,))
    given = [folder / "0.png"] if mode == "text" else ["--caption", "a dog"]
    assert words in fails("predict", *given, "--checkpoint", folder / "heads")


def test_evaluate_without_photos_scores_text_only(clipdemo_cli, folder):
    code, out, _ = clipdemo_cli("evaluate", "--table", folder / "table.csv", "--json")
    assert code == 0
    assert list(json.loads(out)["modes"]) == ["text"]


@pytest.mark.parametrize("command", ["evaluate", "score", "encode"])
def test_if_no_row_can_be_used_the_main_reason_is_named(
    fails, folder, command, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    table = folder / "other.csv"
    table.write_text("ImageID,Labels\ngone.png,18\nlost.png,1\nbad.png,2\n")
    given = ["--table", table, "--photos", folder]
    given += ["--out", tmp_path / "store"] if command == "encode" else []
    assert "its photo is missing (line 2: gone.png)" in fails(command, *given)


def test_an_invalid_number_ends_with_code_2(clipdemo_cli):
    code, out, err = clipdemo_cli("predict", "--caption", "a dog", "--threshold", "high")
    assert code == 2
    assert out == ""
    assert "Traceback" not in err


def test_python_m_clipdemo_is_the_same_command(run_python, folder, is_sentence):
    """As in a shell: only JSON on standard output, only the sentence on standard error."""
    done = run_python("-m", "clipdemo", "predict", folder / "0.png", folder / "bad.png", "--json")
    assert done.returncode == 2
    good, bad = json.loads(done.stdout)
    assert set(good["scores"]) == {"image"}
    assert "error" in bad
    assert is_sentence(done.stderr), done.stderr


def test_the_readme_names_existing_commands_and_flags():
    commands = get_command(app).commands
    lines = re.findall(r"python -m clipdemo ([\w-]+)([^`\n]*)", (ROOT / "README.md").read_text())
    assert len(lines) > 20
    for name, rest in lines:
        command = commands["data"].commands["coco"] if name == "data" else commands[name]
        there = {flag for parameter in command.params for flag in parameter.opts}
        if name != "serve":  # its flags are those of app.py
            assert set(re.findall(r"--[\w-]+", rest)) <= there, name
