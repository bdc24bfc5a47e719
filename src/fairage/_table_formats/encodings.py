"""The characters of a text file, whatever its encoding; what is no text is named."""

import codecs

from fairage._table_formats.contents import unreadable
from fairage.exceptions import DataError

__all__ = ["decode"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = frozenset(map(chr, range(32))) - set("\t\n\v\f\r\x1a")
_REPLACED = "\ufffd"
_PEEK = 4000


def decode(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    r"""Return the text without its byte-order mark, and what to know of how it was read.

    Text that is not UTF-8 and has no mark is read as Windows-1252, which it mostly is, with a
    note.

    Examples:
        >>> decode("Andr\u00e9".encode("cp1252"), "a.csv")
        ('André', ('Text was read as Windows-1252.',))

    Raises:
        DataError: It is no text, or its encoding is broken.
    """
    text, notes = _decode(content, name)
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(
            f"expected a table, got {name!r} with a NUL byte in row {row}, which text never holds, "
            "save it as CSV in UTF-8 or as Parquet"
        )
    return text, notes


def _decode(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    encoding = encoding or _unmarked_utf16(content)
    try:
        return content.decode(encoding or "utf-8"), ()
    except UnicodeDecodeError as error:
        if encoding is not None:
            do = "save it again as UTF-8"
            raise unreadable(name, f"its {encoding} text is broken: {error.reason}", do) from error
    guess = content.decode(errors="replace")
    broken = guess.count(_REPLACED)
    if sum(character > "\x7f" for character in guess) > 2 * broken:  # most of it is UTF-8
        row = guess.count("\n", 0, guess.index(_REPLACED)) + 1
        raise unreadable(name, f"its UTF-8 text is broken in row {row}", "save it again as UTF-8")
    return _decode_one_byte(content, name)


def _decode_one_byte(content: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    try:
        text, encoding = content.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        text, encoding = content.decode("latin-1"), "Latin-1"
    if not _CONTROLS.isdisjoint(text) and "\0" not in text:
        raise unreadable(name, "it is no text", "save it as CSV in UTF-8 or as Parquet")
    return text, (f"Text was read as {encoding}.",)


def _unmarked_utf16(content: bytes) -> str | None:
    """Return the UTF-16 whose every other byte is zero, as of Latin letters, if it is that."""
    for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        zeros, others = content[first:_PEEK:2].count(0), content[1 - first : _PEEK : 2].count(0)
        if zeros > 0.7 * (min(len(content), _PEEK) // 2) and not others:
            return encoding
    return None
