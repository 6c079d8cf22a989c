"""The top of the page: which model answers and how good it was measured to be."""

from clipdemo.checkpoints import Card


def headline(card: Card) -> dict:
    """Backbone, one line and what more there is to say about a card's model."""
    content = card.content
    quality = content.get("metrics", {}).get("photos", {})
    names = {"image": "photo", "text": "caption", "concat": "both"}
    figures = [f"{names[mode]} {m['map']:.2f}" for mode, m in quality.get("modes", {}).items()]
    line = content.get("summary", "")
    if figures:
        line += (
            f" Mean average precision on {quality['n']} validation photos: {', '.join(figures)}."
        )
    about = [content[key] for key in ("description", "licences") if key in content]
    return {"backbone": card.backbone, "line": line, "about": about}
