"""What is there only where an optional extra of the package has been installed."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def bring(extra: str) -> str:
    """The sentence that says how to install an extra of labkit."""
    return f"pip install 'labkit[{extra}]' brings it."


def needs(
    module: str, *, extra: str
) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T | None]]]:
    """Mark async functions that need an optional package, so that a notebook runs without it.

    Args:
        module: What has to be importable.
        extra: The extra of labkit that brings it.

    Returns:
        A decorator. Where the module is there, the function stays as it is; where it is not, a
        call says what to install, and returns None.
    """

    def mark(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T | None]]:
        if find_spec(module) is not None:
            return function

        @functools.wraps(function)
        async def skip(*_args: P.args, **_kwargs: P.kwargs) -> None:
            print(  # noqa: T201  # a cell's output
                f"{function.__name__}: skipped, because {module} is not installed. {bring(extra)}"
            )

        return skip

    return mark
