"""What `auto` means for recognition: the backbone with the best measured heads."""

from dataclasses import dataclass

from clipdemo.errors import BackboneError
from clipdemo.hub.catalog import CHECKPOINTS, OFFERS, TINY, is_slow
from clipdemo.hub.locate import cached, locate_local
from clipdemo.model.checkpoints import CARD, Card, read_card


@dataclass(frozen=True)
class Choice:
    """A backbone, and one sentence on why it was chosen."""

    backbone: str
    reason: str


def choose(cuda: bool) -> Choice:
    """The backbone on this machine whose trained heads have the best measured figures.

    Zero-shot scores are uncalibrated and were not measured on these labels, so a backbone without
    trained heads is never chosen, only mentioned.

    Args:
        cuda: whether there is a GPU; without one the slow backbones are left out.
    """
    cards = [read_card(path.parent) for path in sorted(CHECKPOINTS.glob(f"*/{CARD}"))]
    ready = [card for card in cards if _is_here(card) and (cuda or not is_slow(card.backbone))]
    best = max(ready, key=lambda card: (quality(card), card.backbone != TINY))
    others = {offer.id for offer in OFFERS if cached(offer.id)} - {card.backbone for card in cards}
    reason = f"{best.backbone} was chosen, with trained heads (samples-F1 {quality(best):.2f})"
    if others:
        names = " and ".join(sorted(others))
        reason += (
            f"; {names} {'is' if len(others) == 1 else 'are'} here without trained heads: select "
            "one with --backbone"
        )
    return Choice(best.backbone, f"{reason}.")


def quality(card: Card) -> float:
    """Samples-F1 of a card's best mode on its validation rows; 0 if nothing was measured."""
    measured = card.content.get("metrics", {}).get("photos", {}).get("modes", {})
    return max((figures["samples_f1"] for figures in measured.values()), default=0.0)


def _is_here(card: Card) -> bool:
    try:
        return locate_local(card.backbone) is not None
    except BackboneError:  # its folder is gone
        return False
