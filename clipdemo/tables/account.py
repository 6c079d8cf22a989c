"""The account of a table: which of its rows count, which do not and why, and what was repaired."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from clipdemo.errors import TableError

NO_INPUT = "has neither a photo nor a caption that these heads read"
CUT_OFF = "photos without their end, read as far as they go"
EXAMPLES = 3  # rows that are named for each reason
NAMED = 20  # unknown labels that are named


@dataclass
class Account:
    """What became of the rows of a table. `used` and the rows left out are always all its rows.

    Attributes:
        rows: of the file, without its header and blank lines.
        left_out: reason -> how many rows, and the first of them.
        repaired: what was repaired, and how often; empty for a well-formed table.
        unknown_labels: labels that rows name and that are none of those asked for, and how often.
        read_as: what was taken for what, such as {"Labels": "tags", "encoding": "cp1252"}.
        photos_without_row: photos that no row names; None where no photos were given.
    """

    rows: int = 0
    left_out: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    repaired: Counter[str] = field(default_factory=Counter)
    unknown_labels: Counter[str] = field(default_factory=Counter)
    read_as: dict[str, str] = field(default_factory=dict)
    photos_without_row: int | None = None

    @property
    def used(self) -> int:
        """Rows that count."""
        return self.rows - sum(count for count, _ in self.left_out.values())

    def leave_out(self, reason: str, example: str, count: int = 1) -> None:
        """Note rows that do not count; `example` names one of them."""
        before, examples = self.left_out.get(reason, (0, []))
        self.left_out[reason] = before + count, [*examples, example][:EXAMPLES]

    def to_dict(self) -> dict:
        """JSON-ready, as every command prints it."""
        return {
            "rows": self.rows,
            "used": self.used,
            "left_out": [
                {"reason": reason, "count": count, "examples": examples}
                for reason, (count, examples) in self.left_out.items()
            ],
            "repaired": {what: times for what, times in self.repaired.items() if times},
            "unknown_labels": dict(self.unknown_labels.most_common(NAMED)),
            "read_as": self.read_as,
            "photos_without_row": self.photos_without_row,
        }

    def check_strict(self, name: object) -> None:
        """Raises TableError when a row was left out, or a label of one was ignored."""
        for reason, (_, examples) in self.left_out.items():
            total = self.rows - self.used
            raise TableError(
                f"{name}, {examples[0]}: {reason} ({total:,} row{'s' * (total > 1)} in all would "
                "be left out); correct the file or do not be strict."
            )
        for label in self.unknown_labels:
            raise TableError(
                f"{name} names {label!r}, which is no label asked for; correct the file or do not "
                "be strict."
            )


def photo_reason(problem: str) -> str:
    """A problem with a row's photo in words that are the same for many rows."""
    if problem.startswith("There is no photo"):
        return "its photo is missing"
    if " may be " in problem:
        return f"its photo is not certain: {problem}"
    return f"its photo cannot be used: {problem}"


def account_lines(account: dict) -> list[str]:
    """An account, as `Account.to_dict` makes it, in a few lines for people."""
    lines = [f"{account['used']:,} of {account['rows']:,} rows are used"]
    for entry in account["left_out"]:
        more = ", ..." if entry["count"] > len(entry["examples"]) else ""
        examples = ", ".join(entry["examples"])
        lines.append(f"left out: {entry['count']:,}, {entry['reason']} ({examples}{more})")
    lines += [f"repaired: {what}, {times:,} times" for what, times in account["repaired"].items()]
    unknown = account["unknown_labels"]
    if unknown:
        named = ", ".join(f"{name} ({times:,})" for name, times in list(unknown.items())[:5])
        lines.append(f"unknown labels, ignored: {named}{', ...' if len(unknown) > 5 else ''}")
    lines += [f"read as {what}: {taken}" for what, taken in account["read_as"].items()]
    if account["photos_without_row"]:
        lines.append(f"photos that no row names: {account['photos_without_row']:,}")
    return lines
