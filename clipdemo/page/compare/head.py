"""The top of the page: the model in use and its measured quality."""

from clipdemo.model.checkpoints import Card


def headline(card: Card) -> dict:
    """Backbone, title, one line and further paragraphs about a card's model."""
    content = card.content
    quality = content.get("metrics", {}).get("photos", {})
    figures = [f"{mode} {m['map']:.2f}" for mode, m in quality.get("modes", {}).items()]
    line = content.get("summary", "")
    if figures:
        rows = "captions" if set(quality["modes"]) == {"text"} else "photos"
        line += (
            f" Mean average precision on {quality['n']} validation {rows}: {', '.join(figures)}."
        )
    about = [content[key] for key in ("description", "licences") if key in content]
    if card.kind == "zero-shot":
        about.append(
            "A few hundred labelled rows are enough to train heads in minutes: "
            f"python -m clipdemo adapt --backbone {card.backbone} --table T.csv --photos DIR"
        )
    return {"backbone": card.backbone, "title": title(card), "line": line, "about": about}


def title(card: Card) -> str:
    """The page's title, which depends on the inputs of its heads."""
    asked = {
        ("image",): "What is in a photo, by its pixels alone",
        ("text",): "What is in a photo, by its caption alone",
    }
    return asked.get(
        tuple(card.modes), "What is in a photo: by its pixels, by its caption, and by both"
    )
