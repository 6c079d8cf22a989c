"""Names of files in a zip that does not say how they are encoded.

The Finder of macOS writes UTF-8 without saying so, and Windows in Asia its own encodings; `zipfile`
reads both as cp437, in which DOS wrote.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
from collections.abc import Collection, Iterable

_DOS = "cp437"
_OTHERS = (_DOS, "cp932", "gbk", "big5", "cp949", "cp866", "cp850", "cp1252")
_UTF8_FLAG = 0x800
_JAPANESE = re.compile(r"[\u3040-\u30fa\u30fc]")  # kana
_ASIAN = re.compile(r"[\0-\x7f\u3000-\u30fa\u30fc\u3400-\u9fff]*")
_BETWEEN_LETTERS = re.compile(r"[a-z][\u3000-\u9fff]|[\u3000-\u9fff][a-z]", re.IGNORECASE)


def zip_names(members: Iterable[zipfile.ZipInfo], wanted: Collection[str] = ()) -> dict[str, str]:
    """The readable path of each file in a zip -> its name for `zipfile`.

    Args:
        members: of the zip.
        wanted: names that a table has; they tell encodings that are easily confused.
    """
    files = [info for info in members if not info.is_dir()]
    read, unsure = {}, {}
    for info in files:
        raw = _raw(info)
        if raw is None:
            read[info.filename] = info.filename
        elif (name := _decoded([raw], "utf-8")) is not None:
            read[name[0]] = info.filename
        else:
            unsure[info.filename] = raw
    names = _decoded(unsure.values(), _encoding(list(unsure.values()), wanted)) or unsure
    read |= zip(names, unsure, strict=True)
    return {name.replace("\\", "/"): file for name, file in read.items()}


def _raw(info: zipfile.ZipInfo) -> bytes | None:
    """The bytes of a name in an unknown encoding."""
    if info.flag_bits & _UTF8_FLAG or info.filename.isascii():
        return None
    try:
        return info.filename.encode(_DOS)
    except UnicodeEncodeError:
        return None


def _encoding(raw: list[bytes], wanted: Collection[str]) -> str:
    """The encoding with the most of the names that are wanted, else the one that looks right."""
    if not raw:
        return _DOS
    ends = {_end(name) for name in wanted}
    found = {name: _decoded(raw, name) or [] for name in _OTHERS}
    fits = {name: sum(_end(file) in ends for file in files) for name, files in found.items()}
    best = max(fits, key=fits.get)
    if fits[best]:
        return best
    japanese, chinese = found["cp932"], _decoded(raw, "gb2312") or []
    if _looks_right(japanese) and _JAPANESE.search("".join(japanese)):
        return "cp932"
    return "gbk" if _looks_right(chinese) else _DOS


def _looks_right(names: list[str]) -> bool:
    """Whether names are ASCII and East Asian, and not Western ones with single strange letters."""
    text = "\n".join(names)
    return bool(text and _ASIAN.fullmatch(text) and not _BETWEEN_LETTERS.search(text))


def _decoded(raw: Iterable[bytes], encoding: str) -> list[str] | None:
    try:
        return [name.decode(encoding) for name in raw]
    except UnicodeDecodeError:
        return None


def _end(path: str) -> str:
    """The name without folders and extension, in one form."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return unicodedata.normalize("NFC", re.sub(r"\.\w{3,4}$", "", name)).casefold()
