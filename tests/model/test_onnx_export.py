"""The exported files agree with the classifier, without torch, used as in the README."""

import json
import re
import shutil

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from support.paths import ROOT, SCENES

from clipdemo.inputs.labels import MODES
from clipdemo.model.onnx_export import export_onnx

CAPTION = "a dog on a bench"


@pytest.fixture(scope="module")
def exported(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "onnx"
    return folder, export_onnx(tiny, folder)


def test_each_file_agrees_with_torch(exported):
    folder, differences = exported
    assert set(differences) == {"photo.onnx", "caption.onnx", *(f"{mode}.onnx" for mode in MODES)}
    assert max(differences.values()) <= 1e-4
    assert {path.name for path in folder.iterdir()} == {
        *differences, "model.json", "tokenizer.json"
    }  # fmt: skip


def test_the_readmes_lines_give_the_labels_that_the_classifier_gives(
    exported, tiny, tmp_path, run_python
):
    """From a photo's file and a caption to labels; torch is not imported."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    (lines,) = [block for block in blocks if "onnxruntime" in block]
    shutil.copytree(exported[0], tmp_path / "onnx")
    with Image.open(SCENES / "harbour.webp") as scene:
        scene.convert("RGB").save(tmp_path / "photo.jpg", quality=95)
    (tmp_path / "use.py").write_text(
        f"import os, sys; os.chdir({str(tmp_path)!r})\n{lines}\n"
        "print(json.dumps(scores.tolist())); sys.exit('torch' in sys.modules)"
    )
    done = run_python(tmp_path / "use.py")
    assert done.returncode == 0, done.stderr
    labels, scores = done.stdout.strip().splitlines()
    expected = tiny.predict(tmp_path / "photo.jpg", CAPTION)
    assert json.loads(scores) == pytest.approx(list(expected.scores["concat"].values()), abs=1e-4)
    assert sorted(re.findall(r"'([^']+)'", labels)) == sorted(expected.labels("concat"))


def test_other_backbones_and_heads_are_exported_as_well(
    write_heads, vit_folder, tmp_path, clipdemo_cli
):
    """One with CLIP's own tokenizer and a cropped input, and MUTAN, which fuses by products."""
    import clipdemo

    modes = ("concat", "mutan")
    write_heads(tmp_path / "heads", f"local-dir:{vit_folder}", 32, modes)
    code, out, error = clipdemo_cli(
        "export", "--checkpoint", tmp_path / "heads", "--out", tmp_path / "onnx", "--json"
    )
    assert code == 0, error
    assert set(json.loads(out)["differences"]) >= {f"{mode}.onnx" for mode in modes}
    classifier = clipdemo.load("auto", checkpoint=tmp_path / "heads", device="cpu")
    about = json.loads((tmp_path / "onnx" / "model.json").read_text())
    assert about["caption"]["tokenizer"] == "CLIP's"

    def run(name: str, rows: np.ndarray) -> np.ndarray:
        return onnxruntime.InferenceSession(tmp_path / "onnx" / f"{name}.onnx").run(
            None, {"input": rows}
        )[0]

    photo = Image.open(SCENES / "farm.webp").convert("RGB")
    pixels = classifier.backbone.prepare(photo)[None].numpy()
    ids = classifier.backbone.tokenizer([CAPTION]).numpy()
    both = np.concatenate([run("photo", pixels), run("caption", ids)], 1)
    expected = classifier.predict(SCENES / "farm.webp", CAPTION).scores
    for mode in modes:
        assert run(mode, both)[0] == pytest.approx(list(expected[mode].values()), abs=1e-4)
