"""open_clip is imported without torch's compiler, which is there for whoever needs it."""

PREDICT = """
import sys
import clipdemo
from PIL import Image
clipdemo.load("tiny").predict(Image.new("RGB", (40, 30)), "a dog")
assert "torch._dynamo" not in sys.modules
import torch
assert torch.compile(lambda x: x + 1, backend="eager")(torch.ones(1)) == 2
"""
NEEDED = """
import torch
from clipdemo.model.without_compiler import without_compiler
with without_compiler():
    from torch._dynamo.utils import is_compile_supported
    assert not is_compile_supported("cpu")
    import torch._dynamo.config
    from torch._dynamo.utils import counters
    from torch._dynamo import is_compiling
assert torch._dynamo.config.__file__ and torch._dynamo.utils.counters is counters
"""


def test_a_prediction_needs_no_compiler(run_python):
    """It would take a third of the time until a model is loaded."""
    found = run_python("-c", PREDICT)
    assert found.returncode == 0, found.stderr


def test_libraries_that_need_more_of_it_get_the_real_one(run_python):
    """As other versions of torchvision or timm may."""
    found = run_python("-c", NEEDED)
    assert found.returncode == 0, found.stderr
