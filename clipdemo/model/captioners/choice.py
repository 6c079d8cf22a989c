"""Choosing a captioner by name: the bundled one or a model of transformers.

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
        name: `bundled`, a model in the cache of the Hugging Face hub, or a local directory; `auto`
            is the study's where it is cached, else the bundled one.
        classifier: one whose backbone the bundled captioner may share.
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
