"""How fast and how large: each figure is ours over the plain way, measured in the same run.

A ratio says the same on a slow machine and on a fast one. Ours and the plain way take turns, so
that whatever else the machine does meets both, and medians are compared.
"""

from clipdemo.commands.bench.comparison import Comparison
from clipdemo.commands.bench.page import measure_page, start_up
from clipdemo.hub.catalog import best, has_cuda
from clipdemo.hub.fetch import look

PHOTOS_PER_ROUND = 8


def bench(backbone: str = "auto", rounds: int = 5) -> tuple[dict, dict[str, Comparison]]:
    """Measure everything.

    The app is started `rounds` times, photos are scored `PHOTOS_PER_ROUND` times as often.

    Returns:
        What `bench --json` prints (None: not measured), and the medians behind its ratios.

    Raises:
        ClipdemoError: the backbone or the app cannot be loaded.
    """
    backbone = best(has_cuda()) if backbone == "auto" else backbone
    look(backbone)
    compared = {"startup_ratio": start_up(backbone, rounds)}
    # Before torch is loaded here: a child's peak begins with what its parent holds.
    page, crowd = measure_page(backbone, rounds)
    from clipdemo.commands.bench.encoding import encoding
    from clipdemo.commands.bench.scoring import scoring
    from clipdemo.commands.bench.table import table
    from clipdemo.commands.bench.tables import filtering

    found, loaded = scoring(backbone, rounds * PHOTOS_PER_ROUND)
    found["encode_ratio"] = encoding(loaded, rounds)
    compared = found | compared | crowd | {"table_ratio": table(rounds)}
    compared["inspect_filter_ratio"] = filtering(rounds)
    figures = {name: round(c.ratio, 3) for name, c in compared.items()}
    about = {"device": loaded.device, "backbone": backbone, "runs": rounds}
    return figures | page | about, compared
