"""What a live call's failure means and what to do about it, as the SDK's own typed errors."""

from __future__ import annotations

import contextlib
import email.utils
import json
import time
from typing import Any, TypeVar

import anthropic
import httpx2

from ..prices import PRICES, PRICES_READ

PATIENT = 60.0
"""Seconds that the SDK may wait by itself before another try; it would wait however long."""

SAID = 300
"""Characters of the service's own words that an error quotes."""

STATUSES: dict[int, type[anthropic.APIStatusError]] = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    402: anthropic.PaymentRequiredError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    408: anthropic.RequestTimeoutError,
    409: anthropic.ConflictError,
    413: anthropic.ContentTooLargeError,
    422: anthropic.UnprocessableEntityError,
    429: anthropic.RateLimitError,
    503: anthropic.ServiceUnavailableError,
    504: anthropic.GatewayTimeoutError,
    529: anthropic.OverloadedError,
}
"""The SDK's error for each status that has one."""

KINDS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The status of each kind of error, for one that comes inside a stream."""

ADDRESS = "Does ANTHROPIC_BASE_URL, where it is set, name the right address?"
WITHOUT = "Without LABKIT_LIVE, connect() gives the scripted model, which needs no key."


def refused(
    request: httpx2.Request, status: int, headers: httpx2.Headers, body: bytes, model: str
) -> anthropic.APIStatusError:
    """The error for a response that is no success.

    Args:
        request: What was sent; its headers, where the key is, are left behind.
        status: The HTTP status.
        headers: The response's headers.
        body: Its body.
        model: The model that was asked.

    Returns:
        The SDK's error for this status. Its message says what to do.
    """
    told = _json(body)
    error = told.get("error") if isinstance(told, dict) else None
    said = error.get("message") if isinstance(error, dict) else None
    text = said if isinstance(said, str) else body.decode("utf-8", errors="replace")
    wait = _wait(headers)
    kept = {
        name: headers[name]
        for name in ("content-type", "request-id", "retry-after", "retry-after-ms")
        if name in headers
    }
    if wait is not None and wait > PATIENT:
        kept["x-should-retry"] = "false"
    response = httpx2.Response(status, headers=kept, content=body, request=_bare(request))
    message = _advice(status, text, model, wait, request.url.host)
    kind = STATUSES.get(status, anthropic.InternalServerError if status >= 500 else None)
    made = (kind or anthropic.APIStatusError)(message, response=response, body=told or text)
    return _brief(made)


def broken(
    request: httpx2.Request, error: Exception, seconds: float | None
) -> anthropic.APIConnectionError:
    """The error for a connection that could not be made, or broke.

    Args:
        request: What was sent.
        error: What the connection raised.
        seconds: The seconds that it may be silent.
    """
    host = request.url.host
    if isinstance(error, httpx2.TimeoutException) and not isinstance(error, httpx2.ConnectTimeout):
        late = anthropic.APITimeoutError(request=_bare(request))
        waited = f" for {seconds:g} s" if seconds else ""
        late.message = (
            f"{host} said nothing{waited}. A long reply is better streamed; otherwise try again."
        )
        late.args = (late.message,)
        return _brief(late)
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError):
        text = (
            f"{host} cannot be reached ({_first(error)}). Is there a network, and does"
            f" ANTHROPIC_BASE_URL, where it is set, name the right address? {WITHOUT}"
        )
    else:
        text = f"the connection to {host} broke before the reply was whole. Try again."
    return _brief(anthropic.APIConnectionError(message=text, request=_bare(request)))


def _advice(status: int, said: str, model: str, wait: float | None, host: str) -> str:
    low = said.lower()
    if status == 401:
        text = (
            "the service does not accept the key. Is ANTHROPIC_API_KEY whole, current and of the"
            f" account you mean? Set it anew and restart the kernel. {WITHOUT}"
        )
    elif status == 402 or (status in (400, 403) and ("credit" in low or "billing" in low)):
        text = (
            "the account has no credit. Buy some on the billing page of its console, or use the"
            f" key of another account. {WITHOUT}"
        )
    elif status == 403:
        text = f"this key may not do that, with the model {model} perhaps. Use another of either."
    elif status == 404 and model and "model" in low:
        known = ", ".join(PRICES)
        text = (
            f"there is no model {model!r}: it is retired, misspelt or not open to this account."
            f" Known here ({PRICES_READ}): {known}; the service lists its own with"
            " `client.models.list()`. `labkit.patterns.asking.MODEL = ...` has the patterns ask"
            " another."
        )
    elif status == 404:
        text = (
            f"{host} has nothing at this address. Does ANTHROPIC_BASE_URL, where it is set, name"
            " the right one, its path included?"
        )
    elif status == 413:
        text = "the request is too large. Send less of it."
    elif status == 429:
        text = (
            "the account's rate limit is reached."
            f" {_told(wait)} Fewer calls at once may keep it: `budget().in_flight = 2`."
        )
    elif status == 529:
        text = (
            "the service is overloaded: it has more to do than it can, and nothing is wrong here."
            f" {_told(wait)}"
        )
    elif status >= 500:
        text = f"the service at {host} failed, and nothing is wrong here. {_told(wait)}"
    else:
        text = f"{host} refused the request."
    quoted = " ".join(said.split())[:SAID]
    return f"{text} (HTTP {status}{f'; it said: {quoted}' if quoted else ''})"


def _told(wait: float | None) -> str:
    if wait is None:
        return "Try again in a minute."
    if wait <= PATIENT:
        return f"It asks to wait {wait:g} s; then try again."
    until = time.strftime("%H:%M", time.localtime(time.time() + wait))
    return f"It asks to wait {wait:g} s, until {until}: too long to wait for in a cell."


def _wait(headers: httpx2.Headers) -> float | None:
    """The seconds that the service asks to wait; None where it asks for none."""
    for name, unit in (("retry-after-ms", 1_000), ("retry-after", 1)):
        with contextlib.suppress(KeyError, ValueError):
            return max(0.0, float(headers[name]) / unit)
    with contextlib.suppress(KeyError, ValueError):
        moment = email.utils.parsedate_to_datetime(headers["retry-after"])
        return max(0.0, moment.timestamp() - time.time())
    return None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _first(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0][:SAID] if lines else type(error).__name__


def _bare(request: httpx2.Request) -> httpx2.Request:
    return httpx2.Request(request.method, request.url)


E = TypeVar("E", bound=anthropic.APIError)


def _brief(error: E) -> E:
    """Have a notebook show the message alone: the SDK's frames would not help the reader."""
    brief: Any = error
    brief._render_traceback_ = lambda: [f"{type(error).__name__}: {error}"]
    return error
