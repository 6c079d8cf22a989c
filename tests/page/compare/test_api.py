"""The public endpoints, as a program calls them."""

import ast
import json
import re
import subprocess

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from support.driver import LABELS
from support.paths import ROOT, SCENES

pytestmark = pytest.mark.browser

README = (ROOT / "README.md").read_text("utf-8")
PHOTO = SCENES / "farm.webp"
PUBLIC = {"/predict", "/caption", "/words", "/regions"}


@pytest.fixture(scope="module")
def client(url):
    return Client(url, verbose=False)


def test_only_public_endpoints_are_listed_and_documented(client):
    api = client.view_api(return_format="dict", print_info=False)
    assert set(api["named_endpoints"]) == PUBLIC
    assert not api["unnamed_endpoints"]
    predict = api["named_endpoints"]["/predict"]
    assert [p["parameter_name"] for p in predict["parameters"]] == ["photo", "caption"]
    assert "scores" in predict["description"].lower()


@pytest.mark.parametrize(
    ("photo", "caption"), [(PHOTO, None), (PHOTO, ""), (PHOTO, "a horse"), (None, "a horse")]
)
def test_predict_gives_the_classifiers_scores_for_what_it_is_given(
    client, classifier, photo, caption
):
    """A mode whose input is missing is absent."""
    given = client.predict(
        photo=handle_file(photo) if photo else None, caption=caption, api_name="/predict"
    )
    expected = classifier.predict(photo, caption)
    assert set(given["scores"]) == set(expected.scores)
    for mode, scores in given["scores"].items():
        assert list(scores) == list(LABELS)
        assert scores == pytest.approx(expected.scores[mode], abs=1e-4)
        assert set(given["labels"][mode]) == set(expected.labels(mode))


def test_a_bad_photo_raises_one_sentence(client, tmp_path):
    bad = tmp_path / "photo.png"
    bad.write_text("this is not a photo")
    with pytest.raises(AppError) as raised:
        client.predict(handle_file(bad), "a dog", api_name="/predict")
    message = str(raised.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert "Traceback" not in message


def test_the_readmes_example_runs_as_it_is(url, monkeypatch, tmp_path):
    """Only the address is another."""
    with Image.open(PHOTO) as photo:
        photo.convert("RGB").save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(from gradio_client.*?)```", README, re.DOTALL)
    names, answers = {}, []
    for line in ast.parse(example.replace("http://127.0.0.1:7860", url)).body:
        if isinstance(line, ast.Expr):
            answers.append(eval(ast.unparse(line), names))
        else:
            exec(ast.unparse(line), names)
    scores, captions, words, regions = answers
    assert scores["scores"]["concat"].keys() == set(LABELS)
    assert 1 <= len(captions) <= 3
    assert [word["word"] for word in words["words"]] == ["a", "dog", "on", "a", "bench"]
    assert regions["label"] == "dog"


def test_the_readmes_shell_lines_run_as_they_are(url, classifier, tmp_path):
    """Only the address is another."""
    with Image.open(PHOTO) as photo:
        photo.convert("RGB").save(tmp_path / "photo.jpg")
    (lines,) = re.findall(r"```bash\n(.*?)```", README, re.DOTALL)
    lines = lines.replace("http://127.0.0.1:7860", url.rstrip("/"))
    done = subprocess.run(
        ["bash", "-ec", lines], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    (found,) = json.loads(done.stdout.partition("data: ")[2])
    expected = classifier.predict(tmp_path / "photo.jpg", "a dog on a bench")
    assert found["scores"]["concat"] == pytest.approx(expected.scores["concat"], abs=1e-4)
