"""The account of a table: which rows are used, which are left out and why, and repairs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from clipdemo.errors import TableError

NO_INPUT = "has neither a photo nor a caption that these heads read"
CUT_OFF = "photos without their end, read as far as they go"
EXAMPLES = 3  # rows named per reason
NAMED = 20  # unknown labels that are listed


@dataclass
class Account:
    """What became of the rows of a table. `used` and the rows left out always add up to `rows`.

    Attributes:
        rows: of the file, without its header and blank lines.
        left_out: reason -> the number of rows, and the first ones.
        repaired: what was repaired, and how often; empty for a well-formed table.
        unknown_labels: labels of rows that are not among those requested, and how often.
        read_as: how parts of the file were interpreted, such as {"Labels": "tags"}.
        photos_without_row: photos that no row names; None if no photos were given.
    """

    rows: int = 0
    left_out: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    repaired: Counter[str] = field(default_factory=Counter)
    unknown_labels: Counter[str] = field(default_factory=Counter)
    read_as: dict[str, str] = field(default_factory=dict)
    photos_without_row: int | None = None

    @property
    def used(self) -> int:
        """The number of rows used."""
        return self.rows - sum(count for count, _ in self.left_out.values())

    def leave_out(self, reason: str, example: str, count: int = 1) -> None:
        """Count rows that are left out; `example` names one of them."""
        before, examples = self.left_out.get(reason, (0, []))
        self.left_out[reason] = before + count, [*examples, example][:EXAMPLES]

    def to_dict(self) -> dict:
        """The account in the JSON form that every command prints."""
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
        """Raises TableError if a row was left out, or one of its labels was ignored."""
        for reason, (_, examples) in self.left_out.items():
            total = self.rows - self.used
            raise TableError(
                f"{name}, {examples[0]}: {reason} ({total:,} row{'s' * (total > 1)} in all would "
                "be left out); correct the file or omit --strict."
            )
        for label in self.unknown_labels:
            raise TableError(
                f"{name} names {label!r}, which is not a requested label; correct the file or omit "
                "--strict."
            )


def photo_reason(problem: str) -> str:
    """A problem with a row's photo, in words shared by many rows."""
    problem = problem.rstrip(".")
    if problem.startswith("There is no photo"):
        return "its photo is missing"
    if " may be " in problem:
        return f"its photo is not certain: {problem}"
    return f"its photo cannot be used: {problem}"


def main_reason(account: dict) -> str:
    """Why most of the rows that an account leaves out are left out, with an example."""
    entry = max(account["left_out"], key=lambda entry: entry["count"])
    return f"{entry['reason']} ({entry['examples'][0]})"


def account_lines(account: dict) -> list[str]:
    """An account from `Account.to_dict` as a few lines of text for people."""
    lines = [f"{account['used']:,} of {account['rows']:,} rows are used"]
    for entry in account["left_out"]:
        more = ", ..." if entry["count"] > len(entry["examples"]) else ""
        examples = ", ".join(entry["examples"])
        lines.append(f"left out: {entry['count']:,}, {entry['reason']} ({examples}{more})")
    for what, times in account["repaired"].items():
        lines.append(f"repaired: {what}, {times:,} time{'s' * (times > 1)}")
    unknown = account["unknown_labels"]
    if unknown:
        named = ", ".join(f"{name} ({times:,})" for name, times in list(unknown.items())[:5])
        lines.append(f"unknown labels, ignored: {named}{', ...' if len(unknown) > 5 else ''}")
    lines += [f"read as {what}: {taken}" for what, taken in account["read_as"].items()]
    if account["photos_without_row"]:
        lines.append(f"photos that no row names: {account['photos_without_row']:,}")
    return lines
