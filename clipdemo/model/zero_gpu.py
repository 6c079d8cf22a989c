"""ZeroGPU: a GPU that a Hugging Face Space has only while a function runs."""

from collections.abc import Callable


def on_gpu(function: Callable) -> Callable:
    """`function` with a GPU while it runs, where the `spaces` package is there; else `function`.

    On ZeroGPU it then runs in a copy of this process, made at its first call and kept for later
    ones. So wrap what works on tensors alone, and wrap it anew for each model:

    - The model has to be loaded before the first call: in a copy no thread goes on loading.
    - A kept copy knows only the model that was there when it was made.
    - Arguments and results are pickled; an exception arrives without its sentence.
    - What else the function changes, such as a cache, changes in the copy alone.

    Example:
        >>> encode = on_gpu(backbone.encode_pixels)  # in a thread that has just loaded it
        >>> encode(pixels)
    """
    try:
        import spaces
    except ImportError:
        return function
    return spaces.GPU(function)


def declare_gpu() -> None:
    """Tell ZeroGPU that functions will ask for a GPU: it starts no page that has not one by then.

    To be called before torch is imported, whose CUDA calls `spaces` replaces.
    """
    on_gpu(_nothing)


def _nothing() -> None:
    pass
