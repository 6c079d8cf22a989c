"""Heads as a folder that can be uploaded to a hub repository."""

import shutil
from pathlib import Path

from clipdemo.errors import CheckpointError
from clipdemo.hub.repositories import LOCAL, repository
from clipdemo.model.checkpoints import Card, verify, write_card

BODY = """
# Heads for {labels} labels on {backbone}

{summary}

{figures}
Labels: {names}.

They read the embeddings of one frozen CLIP, and of no other. {whence}:

```
python app.py --checkpoint hf:YOU/NAME
```
"""

HUB = "clipdemo downloads that on request"
FOLDER = (
    "It is in a folder of the machine that they were trained on: for others, upload it as well, "
    "and train heads for its `hf-hub:` id"
)


def publish(card: Card, out: Path, licence: str) -> Card:
    """Write heads, their card and a model card for the hub to an empty folder.

    Args:
        card: of trained heads in a folder.
        out: the folder.
        licence: of the heads, by its id on the hub, such as `mit`.

    Raises:
        CheckpointError: `out` is not empty, or a file is not the card's.
    """
    from huggingface_hub import EvalResult, ModelCard, ModelCardData

    if out.is_dir() and any(out.iterdir()):
        raise CheckpointError(f"{out} is not empty: choose another --out.")
    verify(card)
    out.mkdir(parents=True, exist_ok=True)
    for entry in card.modes.values():
        shutil.copyfile(card.folder / entry["file"], out / entry["file"])
    published = write_card(out, card.content)
    measured = card.content.get("metrics", {}).get("photos", {}).get("modes", {})
    results = [
        EvalResult(
            task_type="image-classification", dataset_type=f"validation-{mode}",
            dataset_name=f"validation rows, {mode}", metric_type=kind, metric_name=name,
            metric_value=round(figures[key], 4),
        )
        for mode, figures in measured.items()
        for kind, name, key in (
            ("f1", "samples-F1", "samples_f1"), ("mean_average_precision", "mAP", "map")
        )
    ]  # fmt: skip
    about = ModelCardData(
        license=licence, base_model=repository(card.backbone), tags=["clip", "multi-label"],
        model_name=out.name, eval_results=results or None,
    )  # fmt: skip
    body = BODY.format(
        labels=len(card.labels), backbone=card.backbone, names=", ".join(card.labels.names),
        summary=card.content.get("summary", ""), figures=_table(measured),
        whence=FOLDER if card.backbone.startswith(LOCAL) else HUB,
    )  # fmt: skip
    ModelCard(f"---\n{about.to_yaml()}\n---\n{body}").save(out / "README.md")
    return published


def _table(measured: dict) -> str:
    """The figures in Markdown; empty if nothing was measured."""
    if not measured:
        return ""
    lines = ["| head | rows | samples-F1 | mAP |", "|---|---|---|---|"]
    lines += [
        f"| {mode} | {figures['n']} | {figures['samples_f1']:.3f} | {figures['map']:.3f} |"
        for mode, figures in measured.items()
    ]
    return "\n".join(lines) + "\n"
