"""Only uploaded files are read, by any event and in any form, for owner and visitor."""

import base64
import io
import json

import pytest
from PIL import Image
from support.asking import META, file_data
from support.paths import SCENES

PHOTO = SCENES / "farm.webp"
DATA = "data:image/webp;base64," + base64.b64encode(PHOTO.read_bytes()).decode()
AFTER = {"predict": [None], "caption": [], "words": ["a dog"], "regions": [None, "image", "dog"]}


def shapes(path: object) -> list[object]:
    """One path in the forms of payloads: with and without keys, valid and invalid."""
    path = str(path)
    return [
        path,
        {"path": path},
        {"path": path, "meta": META},
        {"path": path, "meta": {"_type": "other"}},
        {"path": path, "meta": None},
        {"path": path, "url": f"/gradio_api/file={path}", "meta": META},
        {"path": path, "url": DATA},
        {"path": path, "orig_name": "photo.jpg", "size": 5, "mime_type": "image/jpeg"},
        {"path": path, "is_stream": True, "meta": META},
        {"url": path},
        {"path": "", "url": path},
        {"path": [path]},
        [path],
        [{"path": path, "meta": META}],
        {"value": {"path": path, "meta": META}, "__type__": "update"},
    ]


def test_every_shape_of_every_file_gets_the_same_sentence(owner, elsewhere, is_sentence):
    """So nobody can read files, or learn which ones exist."""
    answers = [owner.run("predict", [shape, None]) for path in elsewhere for shape in shapes(path)]
    assert {went_well for went_well, _ in answers} == {False}
    (sentence,) = {told for _, told in answers}
    assert is_sentence(sentence)
    assert sentence.startswith("photo takes")


@pytest.mark.parametrize("name", AFTER)
@pytest.mark.parametrize("who", ["owner", "stranger"])
def test_so_does_every_endpoint_by_every_way_in(request, elsewhere, who, name):
    asking = request.getfixturevalue(who)
    told = set()
    for path in elsewhere[:3]:
        for shape in shapes(path)[:4]:
            given = [shape, *AFTER[name]]
            told |= {asking.call(name, given), asking.run(name, given)}
        others = {"label": "dog"} if name == "regions" else {}
        told.add(asking.by_name(name, photo=file_data(path), **others))
    assert {went_well for went_well, _ in told} == {False}
    assert len(told) == 1


def test_so_does_every_event_of_the_page(owner, elsewhere):
    tried = 0
    for event in owner.events():
        if not {"image", "file"} & set(event["kinds"]):
            continue
        tried += 1
        told = set()
        for path in elsewhere[:3]:
            for shape in shapes(path):
                said = {"mode": "image", "label": "dog"}
                told.add(owner.event(event["number"], [shape] * len(event["kinds"]), said))
        (answer,) = told
        assert not answer[0]
        assert "takes uploaded files" in answer[1]
    assert tried >= 8


def test_a_path_in_place_of_text_or_state_is_not_read_either(owner, elsewhere):
    for event in owner.events():
        data = [None if k in ("image", "file") else file_data(elsewhere[0]) for k in event["kinds"]]
        went_well, told = owner.event(event["number"], data, file_data(elsewhere[0]))
        assert str(elsewhere[0].parent) not in str(told)
        refusals = "takes", "could not be", "There is", "no longer exists"
        assert went_well or any(words in told for words in refusals), told


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_gradios_own_route_serves_none_of_them(owner, elsewhere, method):
    for path in elsewhere:
        if "\0" in str(path) or "\ud800" in str(path):
            continue
        answer = owner.http.request(method, f"/gradio_api/file={path}")
        assert answer.status_code in (403, 404)
        assert b"secret" not in answer.content
    encoded = str(elsewhere[0]).replace("/", "%2F")
    assert owner.http.get(f"/gradio_api/file={encoded}").status_code == 403
    assert owner.http.get("/gradio_api/file=http://192.0.2.1/photo.jpg").status_code == 403


def test_an_upload_is_read_in_every_shape_that_clients_use(owner, classifier):
    path = owner.upload("farm.webp", PHOTO.read_bytes())
    expected = classifier.predict(PHOTO, "a horse").scores["concat"]
    for shape in (path, {"path": path}, file_data(path), {"url": path}, {"path": DATA},
                  {"url": DATA}, DATA, {"path": None, "url": DATA}, str(PHOTO)):  # fmt: skip
        went_well, found = owner.call("predict", [shape, "a horse"])
        assert went_well, (shape, found)
        assert found["scores"]["concat"] == pytest.approx(expected, abs=1e-4)
    assert owner.http.get(f"/gradio_api/file={path}").content == PHOTO.read_bytes()


@pytest.mark.parametrize(
    ("asked", "status", "place"),
    [
        ("bytes=3-9", 206, slice(3, 10)), ("bytes=5-", 206, slice(5, None)),
        ("bytes=3-9,12-15", 200, slice(None)), ("bytes=-5", 206, slice(-5, None)),
        ("bytes=1-2-3", 200, slice(None)), ("lines=1-2", 200, slice(None)),
        ("bytes=" + ",".join(f"{n}-" for n in range(2000)), 200, slice(None)),
        ("bytes=999999999-", 416, slice(0, 0)),
    ],
)  # fmt: skip
def test_a_part_of_a_file_is_sent_where_one_is_asked_for(owner, asked, status, place):
    path = owner.upload("farm.webp", PHOTO.read_bytes())
    answer = owner.http.get(f"/gradio_api/file={path}", headers={"Range": asked})
    assert answer.status_code == status
    assert answer.content == PHOTO.read_bytes()[place] or status == 416


def test_a_data_url_may_be_percent_encoded_or_folded(owner):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "GIF")
    folded = base64.encodebytes(file.getvalue()).decode()
    quoted = "".join(f"%{byte:02x}" for byte in file.getvalue())
    for url in (f"data:image/gif;base64,{folded}", f"data:image/gif,{quoted}",
                f"data:;base64,{folded}"):  # fmt: skip
        went_well, found = owner.run("predict", [{"url": url}, None])
        assert went_well, found


@pytest.mark.parametrize(
    "url",
    ["data:image/png;base64,***", "data:image/png;base64", "data:", "data:image/png;base64,QUJD",
     "data:text/html,<script>", "data:image/svg+xml,<svg/>"],
)  # fmt: skip
def test_a_data_url_without_a_photo_gives_one_sentence(owner, is_sentence, url):
    went_well, told = owner.run("predict", [{"url": url}, "a dog"])
    assert not went_well
    assert is_sentence(told)


@pytest.mark.parametrize("value", [{}, [], 5, 0, True, False, "", {"meta": META}, {"a": "b"}])
def test_other_values_than_photos_are_refused_not_ignored(owner, value):
    went_well, told = owner.run("predict", [value, "a dog"])
    assert not went_well
    assert told.startswith("photo takes")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("predict", [None, None], "a photo, a caption or both"),
        ("predict", [None, " \u200b"], "a photo, a caption or both"),
        ("predict", [], "photo, caption"),
        ("predict", [None, 5], "caption takes text"),
        ("predict", [None, ["a dog"]], "caption takes text"),
        ("words", [None, None], "give a caption"),
        ("caption", [None], "There is no photo"),
        ("regions", [None, None, "image", "dog"], "There is no photo"),
        ("regions", [{"url": DATA}, None, "image", "unicorn"], "no label"),
        ("regions", [{"url": DATA}, None, "nonsense", "dog"], "not a mode"),
        ("nothing", [None], "nothing at this address"),
    ],
)
def test_invalid_calls_give_one_sentence(owner, is_sentence, name, data, words):
    went_well, told = owner.call(name, data)
    assert not went_well
    assert words in told
    assert is_sentence(told)


def test_results_have_names(owner):
    """Not Gradio's value_26."""
    endpoints = owner.http.get("/gradio_api/info").json()["named_endpoints"]
    assert {name: [r["label"] for r in told["returns"]] for name, told in endpoints.items()} == {
        "/predict": ["prediction"], "/caption": ["captions"], "/words": ["words"],
        "/regions": ["regions"],
    }  # fmt: skip


def test_a_value_that_is_missing_or_unknown_is_named(owner):
    assert "label" in owner.by_name("regions", photo=DATA)[1]
    assert "colour" in owner.by_name("predict", caption="a dog", colour="red")[1]


def test_half_a_character_is_answered_like_any_other(owner):
    """JSON can hold half of a surrogate pair, which has no UTF-8 for the answer."""
    assert owner.run("predict", [None, "a dog \ud800"])[0]
    assert owner.call("words", [None, "a \udc00 dog"])[0]
    given = {"mode": "text", "thresholds": {}, "text": "\ud800"}
    assert owner.http.post("/inspect/rows", content=json.dumps(given)).status_code < 500


def test_no_answer_is_taken_for_another_kind_of_file(owner):
    """A browser could run an uploaded text as a script."""
    uploaded = owner.upload("a.txt", b"<script>alert(1)</script>")
    for path in ("/", "/config", "/healthz", "/none", f"/gradio_api/file={uploaded}"):
        assert owner.http.get(path).headers["x-content-type-options"] == "nosniff", path
