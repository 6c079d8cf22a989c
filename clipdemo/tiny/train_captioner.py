"""`clipdemo train-captioner`: embeddings, decoder, card and measurement, resumable."""

from dataclasses import asdict
from datetime import date
from pathlib import Path

from clipdemo.model import checkpoints
from clipdemo.model.captioners.decoder import BACKBONE, write_decoder
from clipdemo.model.loading import load
from clipdemo.tiny.caption_data import CaptionRecipe, load_sources
from clipdemo.tiny.captioner import fit
from clipdemo.tiny.measure_captions import measure_captions

SUMMARY = (
    "A small captioner trained by this project for its bundled backbone: its captions are simple "
    "and often wrong."
)
LICENCES = (
    "Weights: MIT, as the rest of the project; research use advised, for they were trained on "
    "COCO photos (Flickr, each under its own licence) and captions (CC BY 4.0) and Flickr8k "
    "(research and education), on embeddings of the bundled backbone, whose card says what that "
    "was trained on."
)
DECODING = {"samples": 24, "temperature": 0.6, "share": 0.9, "similarity": 0.5, "unlike": 0.3}


def train_captioner(
    data: Path, work: Path, out: Path, recipe: CaptionRecipe, every: float = 60.0
) -> dict:
    """Train a captioner for the backbone in `out`, write it there and measure it.

    Args:
        data: photos, captions and teacher files (see `pack`).
        work: where the run keeps embeddings, state and log; a later call goes on from there.
        out: folder of the backbone and of its heads.
        recipe: the knobs.
        every: seconds between two saved states.

    Returns:
        The figures that the card now has.
    """
    precision = "bf16" if recipe.bfloat16 else "fp32"
    classifier = load(checkpoint=out, device="cpu", precision=precision)
    work.mkdir(parents=True, exist_ok=True)
    sources = load_sources(data, work, classifier.backbone, out, recipe)
    version = checkpoints.sha256(out / BACKBONE)
    decoder = fit(sources, classifier.backbone.model.text, recipe, work, version, every)
    content = {
        "summary": SUMMARY,
        "licences": LICENCES,
        "trained": date.today().isoformat(),
        "backbone": classifier.backbone.id,
        "decoding": DECODING,
        "training": {
            "recipe": asdict(recipe),
            "photos": len(sources.captions),
            "captions_of_photos": sum(map(len, sources.captions)),
            "captions_alone": len(sources.alone_tokens),
            "validation": "comp5329 and coco photos with number % 6 == 1",
        },
        "metrics": {},
    }
    write_decoder(out, decoder, content)
    return measure_captions(data, out)
