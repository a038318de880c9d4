"""Values as plain JSON, so that judge and learner can live in two processes.

What is plain crosses as itself; what is not (an object of the learner's own class, say) crosses as
its type and a short text, so that no code of one end ever runs in the other.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+| name='Task-\d+'|_Player\.\w+\.<locals>\.")
"""What no text shows: where an object lies, which task it is, where a stand-in was made."""
DEPTH = 40
TEXT = 300

Plain = Any
"""What ``json`` can write: None, bool, int, float, str, list and dict of these."""


@dataclass(frozen=True)
class Foreign:
    """Something of the learner's that is no plain value: its type and how it looked."""

    kind: str
    text: str

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Raised:
    """An exception of the learner's end.

    Attributes:
        kind: Its type's name.
        text: Its message.
        family: The names of its type and of all its bases.
        call: The judge's call that raised it; None where it is the learner's own.
        parts: The exceptions in it, where it is a group.
        line: The learner's line that raised it, as far as it could be found.
    """

    kind: str
    text: str
    family: tuple[str, ...] = ()
    call: int | None = None
    parts: tuple[Raised, ...] = ()
    line: str | None = None

    def leaves(self) -> list[Raised]:
        """The exceptions in a group, at any depth; itself where it is none."""
        return [leaf for part in self.parts for leaf in part.leaves()] if self.parts else [self]

    def __repr__(self) -> str:
        return f"{self.kind}({self.text!r})"


def encode(value: Any, other: Callable[[Any], Plain | None], depth: int = 0) -> Plain:
    """Turn a value into plain JSON.

    Args:
        value: Any value. Of a subclass of a plain type only what the plain type holds is taken.
        other: Encodes what is not plain, as a dict with the key ``$``, or returns None to have it
            sent as its type and text.
        depth: How deep in the value this is.
    """
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str.__str__(value) if type(value) is str else "".join(str.__iter__(value))
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    found = other(value)
    if found is not None:
        return found
    if depth < DEPTH:
        if isinstance(value, list):
            return [encode(item, other, depth + 1) for item in list.__iter__(value)]
        if isinstance(value, tuple):
            items = [encode(item, other, depth + 1) for item in tuple.__iter__(value)]
            return {"$": "tuple", "items": items}
        if isinstance(value, dict):
            pairs = [
                [encode(key, other, depth + 1), encode(item, other, depth + 1)]
                for key, item in dict.items(value)
            ]
            return {"$": "dict", "items": pairs}
        if isinstance(value, set | frozenset):
            return {"$": "set", "items": [encode(item, other, depth + 1) for item in value]}
    return {"$": "object", "kind": type(value).__name__, "text": look(value)}


def decode(data: Plain, other: Callable[[Mapping[str, Any]], Any] | None = None) -> Any:
    """Turn plain JSON back into a value; ``other`` decodes the kinds that are not known here."""
    if isinstance(data, list):
        return [decode(item, other) for item in data]
    if not isinstance(data, dict):
        return data
    kind = data.get("$")
    if kind == "tuple":
        return tuple(decode(item, other) for item in data["items"])
    if kind == "dict":
        return {_hashable(decode(k, other)): decode(v, other) for k, v in data["items"]}
    if kind == "set":
        return {_hashable(decode(item, other)) for item in data["items"]}
    if kind == "object":
        return Foreign(str(data["kind"]), str(data["text"]))
    if kind == "error":
        return Raised(
            kind=str(data["kind"]),
            text=str(data["text"]),
            family=tuple(data["family"]),
            call=data["call"],
            parts=tuple(decode(part, other) for part in data["parts"]),
            line=data["line"],
        )
    if other is None:
        raise ValueError(f"no plain message: {data!r}")
    return other(data)


def encode_error(error: BaseException, calls: Mapping[int, int], file: str | None) -> Plain:
    """Turn an exception into plain JSON.

    Args:
        error: The exception.
        calls: The id() of each exception that a call of the judge's raised → that call.
        file: The file of the learner's function, to find the line that raised.
    """
    parts = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    line = None
    for frame in traceback.extract_tb(error.__traceback__):
        if file is not None and frame.filename == file:
            line = f"line {frame.lineno}: {frame.line}" if frame.line else f"line {frame.lineno}"
    return {
        "$": "error",
        "kind": type(error).__name__,
        "text": look(error, str),
        "family": [base.__name__ for base in type(error).__mro__],
        "call": calls.get(id(error)),
        "parts": [encode_error(part, calls, file) for part in parts],
        "line": line,
    }


def look(value: Any, how: Callable[[Any], str] = repr) -> str:
    """A value's text, cut short and without addresses; one that cannot be had is no fault."""
    try:
        text = ADDRESS.sub("", how(value))
        return text if len(text) <= TEXT else text[: TEXT - 1] + "…"
    except Exception as error:
        return f"<{type(value).__name__}, whose text cannot be had: {type(error).__name__}>"


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return Foreign(type(value).__name__, look(value))
    return value
