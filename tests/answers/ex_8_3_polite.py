"""8.3: a caller that waits as long as it is told."""

import asyncio
import itertools

import anthropic
from anthropic import RateLimitError

ID = "8.3"


async def last_one_apart(call, *, attempts=4):
    if attempts < 1:
        raise ValueError("attempts")
    for _ in range(attempts - 1):
        try:
            return await call()
        except RateLimitError as error:
            await asyncio.sleep(float(error.response.headers.get("retry-after", 1)))
    return await call()


async def counting(call, *, attempts=4):
    if attempts <= 0:
        raise ValueError(attempts)
    made = 0
    while True:
        made += 1
        try:
            result = await call()
        except anthropic.APIStatusError as error:
            if error.status_code != 429 or made == attempts:
                raise
            told = error.response.headers.get("Retry-After")
            wait = 1.0 if told is None else float(told)
        else:
            return result
        await asyncio.sleep(wait)


async def recursive(call, *, attempts=4):
    if attempts < 1:
        raise ValueError("one attempt at least")
    try:
        return await call()
    except RateLimitError as error:
        if attempts == 1:
            raise
        headers = error.response.headers
        seconds = float(headers["retry-after"]) if "retry-after" in headers else 1
    await asyncio.sleep(seconds)
    return await recursive(call, attempts=attempts - 1)


async def keeps_the_error(call, *, attempts=4):
    if not attempts > 0:
        raise ValueError("attempts")
    kept = None
    for number in itertools.count(1):
        try:
            return await call()
        except RateLimitError as error:
            kept = error
        if number == attempts:
            raise kept
        await asyncio.sleep(float(kept.response.headers.get("retry-after") or "1"))


RIGHT = [last_one_apart, counting, recursive, keeps_the_error]


async def not_at_all(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    return await call()


async def backs_off(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for number in range(attempts - 1):
        try:
            return await call()
        except RateLimitError:
            await asyncio.sleep(2**number)
    return await call()


async def whole_seconds(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for _ in range(attempts - 1):
        try:
            return await call()
        except RateLimitError as error:
            await asyncio.sleep(int(float(error.response.headers.get("retry-after", 1))))
    return await call()


async def parses_int(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for _ in range(attempts - 1):
        try:
            return await call()
        except RateLimitError as error:
            await asyncio.sleep(int(error.response.headers.get("retry-after", 1)))
    return await call()


async def zero_is_one(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for _ in range(attempts - 1):
        try:
            return await call()
        except RateLimitError as error:
            await asyncio.sleep(float(error.response.headers.get("retry-after", 0)) or 1)
    return await call()


async def header_is_there(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for _ in range(attempts - 1):
        try:
            return await call()
        except RateLimitError as error:
            await asyncio.sleep(float(error.response.headers["retry-after"]))
    return await call()


async def no_header_no_wait(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for _ in range(attempts - 1):
        try:
            return await call()
        except RateLimitError as error:
            await asyncio.sleep(float(error.response.headers.get("retry-after", 0)))
    return await call()


async def waits_in_the_end(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for number in range(attempts):
        try:
            return await call()
        except RateLimitError as error:
            await asyncio.sleep(float(error.response.headers.get("retry-after", 1)))
            if number == attempts - 1:
                raise


async def one_call_more(call, *, attempts=4):
    return await last_one_apart(call, attempts=attempts + 1 if attempts > 0 else attempts)


async def gives_none(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for number in range(attempts):
        try:
            return await call()
        except RateLimitError as error:
            if number < attempts - 1:
                await asyncio.sleep(float(error.response.headers.get("retry-after", 1)))


async def raises_its_own(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for number in range(attempts):
        try:
            return await call()
        except RateLimitError as error:
            if number < attempts - 1:
                await asyncio.sleep(float(error.response.headers.get("retry-after", 1)))
    raise RuntimeError("the service refused every call")


async def first_error(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    first = None
    for number in range(attempts):
        try:
            return await call()
        except RateLimitError as error:
            first = first or error
            if number < attempts - 1:
                await asyncio.sleep(float(error.response.headers.get("retry-after", 1)))
    raise first


async def any_status(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for _ in range(attempts - 1):
        try:
            return await call()
        except anthropic.APIStatusError as error:
            await asyncio.sleep(float(error.response.headers.get("retry-after", 1)))
    return await call()


async def any_error(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for _ in range(attempts - 1):
        try:
            return await call()
        except Exception as error:
            response = getattr(error, "response", None)
            await asyncio.sleep(float(response.headers.get("retry-after", 1)) if response else 1)
    return await call()


async def until_truthy(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for _ in range(attempts - 1):
        try:
            if result := await call():
                return result
        except RateLimitError as error:
            await asyncio.sleep(float(error.response.headers.get("retry-after", 1)))
    return await call()


async def unchecked(call, *, attempts=4):
    return await last_one_apart(call, attempts=max(1, attempts))


async def nothing_for_nothing(call, *, attempts=4):
    for number in range(attempts):
        try:
            return await call()
        except RateLimitError as error:
            if number == attempts - 1:
                raise
            await asyncio.sleep(float(error.response.headers.get("retry-after", 1)))


async def three_by_default(call, *, attempts=3):
    return await last_one_apart(call, attempts=attempts)


async def needs_a_coroutine(call, *, attempts=4):
    return await last_one_apart(lambda: asyncio.create_task(call()), attempts=attempts)


async def swallows(call, *, attempts=4):
    try:
        return await last_one_apart(call, attempts=attempts)
    except asyncio.CancelledError:
        return None


async def a_minute_at_most(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for _ in range(attempts - 1):
        try:
            return await call()
        except RateLimitError as error:
            await asyncio.sleep(min(60, float(error.response.headers.get("retry-after", 1))))
    return await call()


async def own_time_out(call, *, attempts=4):
    return await last_one_apart(lambda: asyncio.wait_for(call(), 30), attempts=attempts)


async def made_once(call, *, attempts=4):
    made = call()
    return await last_one_apart(lambda: made, attempts=attempts)


async def headers_of_the_error(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for _ in range(attempts - 1):
        try:
            return await call()
        except RateLimitError as error:
            await asyncio.sleep(float(error.headers.get("retry-after", 1)))
    return await call()


async def another_name(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for _ in range(attempts - 1):
        try:
            return await call()
        except RateLimitError as error:
            await asyncio.sleep(float(error.response.headers["retry_after"]))
    return await call()


async def text_as_seconds(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for _ in range(attempts - 1):
        try:
            return await call()
        except RateLimitError as error:
            await asyncio.sleep(error.response.headers.get("retry-after", 1))
    return await call()


async def forgets_to_await_the_wait(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for _ in range(attempts - 1):
        try:
            return await call()
        except RateLimitError as error:
            asyncio.sleep(float(error.response.headers.get("retry-after", 1)))
    return await call()


def plain(call, *, attempts=4):
    if attempts < 1:
        raise ValueError
    for _ in range(attempts - 1):
        try:
            return call()
        except RateLimitError:
            pass
    return call()


WRONG = [
    (not_at_all, "A refusal reached the caller"),
    (backs_off, "The service said `retry-after: 2`"),
    (whole_seconds, "fractions and all"),
    (parses_int, "read it with `float`"),
    (zero_is_one, "Zero is a figure as any other"),
    (header_is_there, "has no `retry-after` header"),
    (no_header_no_wait, "it is one second"),
    (waits_in_the_end, "nothing left to wait for"),
    (one_call_more, "a call too many"),
    (gives_none, "its error reaches the caller"),
    (raises_its_own, "its error reaches the caller"),
    (first_error, "the error of the last call"),
    (any_status, "Only a RateLimitError"),
    (any_error, "Only a RateLimitError"),
    (until_truthy, "after a call had returned"),
    (unchecked, "attempts=0 is under 1"),
    (nothing_for_nothing, "attempts=0 is under 1"),
    (three_by_default, "A refusal reached the caller"),
    (needs_a_coroutine, "`create_task` takes a coroutine"),
    (swallows, "the CancelledError has to reach the caller"),
    (a_minute_at_most, "The service said `retry-after: 480`"),
    (own_time_out, "broke off a call"),
    (made_once, "`call()` makes a new one"),
    (headers_of_the_error, "`error.response.headers`"),
    (another_name, "The header is named `retry-after`"),
    (text_as_seconds, "read it with `float`"),
    (forgets_to_await_the_wait, "without its `await` it does nothing"),
    (plain, "Begin it with `async def polite`"),
]
