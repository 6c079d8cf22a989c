"""Choose a captioner by name: the bundled one or a transformers model.

captioner = load_captioner("bundled")
captioner.suggest("photo.jpg")  # three captions, the best first
"""

from pathlib import Path
from typing import TYPE_CHECKING

from clipdemo.errors import CaptionerError
from clipdemo.model.captioners.captioner import BUNDLED, Captioner

if TYPE_CHECKING:
    from clipdemo.model.classifier import Classifier

STUDY = "nlpconnect/vit-gpt2-image-captioning"


def load_captioner(
    name: str = BUNDLED, classifier: "Classifier | None" = None, device: str = "auto"
) -> Captioner:
    """A ready captioner; nothing is downloaded.

    Args:
        name: `bundled`, a model in the Hugging Face cache, or a local directory; `auto`: the
            study's if it is cached, else the bundled one.
        classifier: the bundled captioner uses its backbone if it is the right one.
        device: `auto`, or a torch device such as `cpu` or `cuda`.

    Raises:
        CaptionerError: there is no such captioner here, or its files are damaged.
    """
    from clipdemo.model.captioners.bundled import CARD, load_bundled
    from clipdemo.model.captioners.huggingface import HubCaptioner

    if name == "auto":
        try:
            return HubCaptioner(STUDY, device)
        except CaptionerError:
            name = BUNDLED
    if name == BUNDLED or (name and Path(name, CARD).is_file()):
        return load_bundled(name, classifier and classifier.backbone, device)
    return HubCaptioner(name, device)
