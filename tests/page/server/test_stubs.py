"""Gradio writes stub files when a component is defined; the app's start-up skips that."""

BOTH = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from clipdemo.page.server.stubs import without_stubs
with without_stubs():
    import quick
import usual
print(sorted(path.name for path in Path({folder!r}).glob("*.pyi")))
"""


def test_only_a_component_of_the_usual_import_has_a_stub(run_python, tmp_path):
    for name in ("quick", "usual"):
        source = "import gradio as gr\n\n\nclass Own(gr.HTML):\n    pass\n"
        (tmp_path / f"{name}.py").write_text(source)
    found = run_python("-c", BOTH.format(folder=str(tmp_path)))
    assert found.returncode == 0, found.stderr
    assert found.stdout.split() == ["['usual.pyi']"]
