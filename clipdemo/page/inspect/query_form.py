"""Validation of the queries that the Inspect tab sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, FiniteFloat, NonNegativeInt, ValidationError

from clipdemo.errors import ClipdemoError
from clipdemo.page.server.requests import well_formed

if TYPE_CHECKING:
    from clipdemo.inspection.predictions import Predictions


class QueryForm(BaseModel):
    """A query as inspect.js sends it: the fields of `Query`, and the rows that are wanted."""

    mode: str
    thresholds: dict[str, list[FiniteFloat]]
    label: NonNegativeInt | None = None
    outcome: Literal["", "error", "found", "false", "missed"] = ""
    instead: Annotated[int, Field(ge=-1)] | None = None
    disagree: bool = False
    low: FiniteFloat = 0.0
    high: FiniteFloat = 1.0
    text: Annotated[str, AfterValidator(lambda text: well_formed(text[:200]))] = ""
    suspect: bool = False
    rows: list[int] | None = None
    marked: bool = False
    start: NonNegativeInt = 0
    count: NonNegativeInt = 24

    def of_query(self) -> dict:
        """The fields that `Query` has, too, with the same names and meanings."""
        return self.model_dump(exclude={"thresholds", "rows", "marked", "start", "count"})


def parse_query(asked: dict, found: Predictions) -> QueryForm:
    """A query for the mode, labels and thresholds of these predictions.

    Raises:
        ClipdemoError: it is not a valid query.
    """
    labels, refused = len(found.labels), ClipdemoError("This query is not valid: reload the page.")
    try:
        form = QueryForm.model_validate(asked)
        cuts = [form.thresholds[mode] for mode in found.scores]
    except (ValidationError, KeyError):
        raise refused from None
    beyond = max(form.label or 0, form.instead or 0) >= labels
    if form.mode not in found.scores or beyond or any(len(cut) != labels for cut in cuts):
        raise refused
    return form
