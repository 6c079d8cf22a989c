"""ZeroGPU: a Hugging Face Space has a GPU only while certain functions run."""

import os
from collections.abc import Callable


def on_gpu(function: Callable) -> Callable:
    """`function` with a GPU while it runs, if the `spaces` package is installed; else `function`.

    On ZeroGPU it runs in a fork of this process, made at the first call and kept for later ones. So
    wrap only functions of tensors, and wrap again for each model:

    - The model must be loaded before the first call: threads do not survive a fork.
    - A fork knows only the models that were loaded when it was made.
    - Arguments and results are pickled; an exception arrives without its message.
    - Whatever else the function changes, such as a cache, changes in the fork alone.

    Example:
        >>> encode = on_gpu(backbone.encode_pixels)  # in a thread that has just loaded it
        >>> encode(pixels)
    """
    try:
        import spaces
    except ImportError:
        return function
    return spaces.GPU(function)


def is_zero_gpu() -> bool:
    """Whether this is a Space on ZeroGPU.

    There the page's first model must be loaded in the main thread before the page is launched:
    `spaces` replaces CUDA calls in that thread alone, and packs the model at the launch. Whatever
    is loaded later runs on the CPU.
    """
    return bool(os.environ.get("SPACES_ZERO_GPU"))


def declare_gpu() -> None:
    """Tell ZeroGPU that functions will need a GPU: it refuses to start a page that declares none.

    Call it before torch is imported: `spaces` replaces torch's CUDA calls.
    """
    on_gpu(lambda: None)
