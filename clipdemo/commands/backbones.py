"""The command `backbones`: which backbones there are, and where."""

from clipdemo.commands import options
from clipdemo.commands.terminal import out, print_json, print_table
from clipdemo.errors import CheckpointError


def backbones(as_json: options.Json = False) -> None:
    """List the backbones: width, parameters, where each one is, size, and the kind of its heads."""
    rows = overview()
    if as_json:
        return print_json(rows)
    print_table(
        ["id", "width", "params", "state", "size", "heads"],
        (
            [
                row["id"], row["width"], f"{row['parameters'] / 1e6:.0f} M", row["state"],
                _size(row), row["heads"],
            ]
            for row in rows
        ),
        box=None, pad_edge=False, collapse_padding=True,
    )  # fmt: skip
    out.print("Also any other open_clip name/pretrained, hf-hub:org/repo or local-dir:/path.")


def overview() -> list[dict]:
    """The listed backbones, JSON-ready, each with its state and the kind of heads it has."""
    from clipdemo.hub import catalog
    from clipdemo.hub.locate import locate_all
    from clipdemo.model.checkpoints import find_card

    states = locate_all([offer.id for offer in catalog.OFFERS])
    rows = []
    for offer in catalog.OFFERS:
        try:
            find_card(offer.id)
            heads = "trained"
        except CheckpointError:
            heads = "zero-shot"
        row = {"id": offer.id, "width": offer.width, "parameters": offer.parameters}
        rows.append(row | vars(states[offer.id]) | {"heads": heads, "note": offer.note})
    return rows


def _size(row: dict) -> str:
    """Of the weights; where it is not known, that of float32."""
    exact = "" if row["bytes"] else "~"
    return f"{exact}{(row['bytes'] or 4 * row['parameters']) / 1e6:.0f} MB"
