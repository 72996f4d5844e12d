"""Read the words of vendors: their codes by a sender's table, their numbers of messages, and their pushes.

What comes from a vendor may repeat a number of a person or a key. Only what has the form of a code is kept.
(docs/contracts/vendors.md sections 2 and 3.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from menshen.core.delivery.verdicts import Verdict

MOST_PUSH: Final = 64 * 1024
"""Bytes of a push. A longer one is no push of a vendor."""

MOST_PARTS: Final = 20
"""The most parts that one message is counted as."""

_FORM_OF_CODE: Final = re.compile(r"[A-Za-z0-9:._-]{1,64}", re.ASCII)
_LIKE_A_NUMBER: Final = re.compile(r"[0-9]{7}", re.ASCII)
_FORM_OF_HEADER_WORD: Final = re.compile(r"[!-~]+", re.ASCII)
_FORM_OF_ID: Final = re.compile(r"[!-~]{1,128}", re.ASCII)


def entry_of(answers: Mapping[str, Verdict], code: object) -> str:
    """Return the entry of a sender's table that is about `code`, "" if none is.

    An entry that ends in `*` is about all codes that begin with the text before it. The most exact entry wins: the code
    itself, then the longest beginning.
    """
    if not isinstance(code, str) or "*" in code:
        return ""
    if code in answers:
        return code
    beginnings = (entry for entry in answers if entry.endswith("*") and code.startswith(entry[:-1]))
    return max(beginnings, key=len, default="")


def judged(answers: Mapping[str, Verdict], status: int, code: object) -> tuple[Verdict, str]:
    """Return what an answer says of the message, and the entry of the table that says so ("": none does).

    A code that no entry is about, and every HTTP status from 500 on, leave it unknown.
    """
    entry = entry_of(answers, code)
    return answers.get(entry, Verdict.UNKNOWN) if status < 500 else Verdict.UNKNOWN, entry


def id_in(told: object) -> str:
    """Return the vendor's number of a message: 1 to 128 visible ASCII characters, "" for anything else."""
    return told if isinstance(told, str) and _FORM_OF_ID.fullmatch(told) else ""


def code_in(told: object) -> str:
    """Return a code of a receipt, "" for what has not the form of one or could be the number of a person."""
    fits = isinstance(told, str) and _FORM_OF_CODE.fullmatch(told) and not _LIKE_A_NUMBER.search(told)
    return told if isinstance(told, str) and fits else ""


def parts_in(told: object) -> int:
    """Return the parts that a vendor counted, from 1 to `MOST_PARTS`. What is no number is one part."""
    counted = told if isinstance(told, int) and not isinstance(told, bool) else 1
    return max(1, min(counted, MOST_PARTS))


def is_header_word(text: str) -> bool:
    """Tell whether a value of the settings can stand in a header as one word: visible ASCII, and not empty."""
    return _FORM_OF_HEADER_WORD.fullmatch(text) is not None


def objects_in(told: object) -> list[dict[str, Any]]:
    """Return the objects of a JSON array, without its other members. [] for what is no array."""
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def pushed_objects(body: bytes) -> list[dict[str, Any]]:
    """Return the objects of a pushed JSON array, [] for bytes that are none or are more than `MOST_PUSH`."""
    if len(body) > MOST_PUSH:
        return []
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return []
    return objects_in(told)
