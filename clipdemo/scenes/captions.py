"""Captions for drawn scenes: varied, in plain English, naming only some of the objects."""

from random import Random

from clipdemo.scenes.drawing.backdrops import Mood
from clipdemo.scenes.places import Place
from clipdemo.scenes.stage import Actor

NOUNS: dict[str, tuple[str, ...]] = {
    "man": ("man", "man", "person", "guy"),
    "woman": ("woman", "woman", "person", "lady"),
    "child": ("child", "boy", "girl", "kid"),
    "motorcycle": ("motorcycle", "motorbike"),
    "airplane": ("airplane", "plane", "jet"),
    "bicycle": ("bicycle", "bike"),
    "traffic light": ("traffic light", "traffic signal"),
    "fire hydrant": ("fire hydrant", "hydrant"),
    "dog": ("dog", "dog", "puppy"),
}
PLURALS = {"person": "people", "bus": "buses", "bench": "benches"}
SAID_PAINT = {"golden": "brown", "cream": "white", "dark brown": "brown", "ginger": "orange"}
PLAIN = {"traffic light", "stop sign", "airplane", "parking meter", "train"}
NUMBERS = {2: ("two", "two", "a couple of"), 3: ("three", "some", "several")}
VERBS: dict[str, tuple[str, ...]] = {
    "bicycle": ("parked", "standing", ""),
    "car": ("parked", "stopped", ""),
    "motorcycle": ("parked", ""),
    "airplane": ("parked", "standing"),
    "bus": ("stopped", "parked", ""),
    "train": ("arriving", ""),
    "truck": ("parked", "stopped", ""),
    "boat": ("floating", ""),
    "cat": ("sitting", "sitting", ""),
    "dog": ("standing", ""),
    "horse": ("standing", ""),
    "bird": ("standing", ""),
}
POSES = {"walk": "walking", "wave": "waving", "stand": "standing"}
SHAPES = (
    "{things} {doing} {where} {when}",
    "{things} {doing} {where} {when}",
    "{things} {doing} {where}",
    "{things} {where} {when}",
    "There {be} {things} {where} {when}",
    "{alone} with {things} {when}",
    "{alone} with {things}",
    "A view of {things} {where}",
    "A picture of {things} {where} {when}",
    "{things} can be seen {where} {when}",
)
EMPTY = (
    "{alone} {when}",
    "{alone} {when}",
    "{alone}",
    "A view of the place {when}",
    "A calm scene {where} {when}",
    "A quiet day {where}",
)


def noun_phrase(group: list[Actor], rng: Random) -> str:
    """One or several objects of a label: "a red car", "two dogs", "a man in a blue shirt"."""
    actor = group[0]
    if len(group) > 1:
        plural = PLURALS.get(actor.label, actor.label + "s")
        return f"{rng.choice(NUMBERS[min(len(group), 3)])} {plural}"
    person = actor.label == "person"
    noun = rng.choice(NOUNS.get(actor.kind if person else actor.label, (actor.kind,)))
    paint = SAID_PAINT.get(actor.paint, actor.paint)
    if person:
        return a(noun) + (f" in {a(paint)} shirt" if rng.random() < 0.35 else "")
    return a(f"{paint} {noun}" if actor.label not in PLAIN and rng.random() < 0.45 else noun)


def a(words: str) -> str:
    """The words with their indefinite article."""
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def listed(things: list[str]) -> str:
    """Join with commas and a final "and"."""
    return things[0] if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]}"


def caption(actors: list[Actor], place: Place, mood: Mood, rng: Random) -> str:
    """A sentence that names about six in ten of the labels in the picture, sometimes none."""
    groups: dict[str, list[Actor]] = {}
    for actor in actors:
        groups.setdefault(actor.label, []).append(actor)
    named = [group for group in groups.values() if rng.random() < 0.6]
    if not named and groups and rng.random() < 0.5:
        named = [rng.choice(list(groups.values()))]
    rng.shuffle(named)
    words = {"where": rng.choice(place.where), "alone": rng.choice(place.alone),
             "when": "" if place.indoors else rng.choice(mood.said)}  # fmt: skip
    if not named:
        return _sentence(rng.choice(EMPTY).format(**words))
    phrases = [noun_phrase(group, rng) for group in named]
    if len(phrases) == 2 and rng.random() < 0.35:
        words["things"] = rng.choice((" next to ", " near ", " beside ", " with ")).join(phrases)
    else:
        words["things"] = listed(phrases)
    words["be"] = "is" if len(named[0]) == 1 else "are"
    flying = [actor.pose == "fly" for group in named for actor in group]
    words["doing"] = ""
    if all(flying):
        words |= {"doing": "flying", "where": rng.choice(("in the sky", "through the air"))}
    elif len(named) == 1 and not any(flying):
        actor = named[0][0]
        if actor.label == "person":
            words["doing"] = POSES[actor.pose] if len(named[0]) == 1 else ""
        else:
            words["doing"] = rng.choice(VERBS.get(actor.label, ("",)))
    return _sentence(rng.choice(SHAPES).format(**words))


def _sentence(text: str) -> str:
    text = " ".join(text.split()).replace(" ,", ",").strip(" ,:")
    return text[0].upper() + text[1:] + "."
