"""Sessions: who is signed in, for how long."""

import random
import string
import time
from collections.abc import Callable
from dataclasses import dataclass

ALPHABET = string.ascii_letters + string.digits
LIFETIME = 8 * 3600.0


@dataclass(frozen=True)
class Session:
    token: str
    user: str
    expires: float


class Sessions:
    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._open: dict[str, Session] = {}

    def start(self, user: str) -> Session:
        token = "".join(random.choices(ALPHABET, k=32))
        session = Session(token, user, self._clock() + LIFETIME)
        self._open[token] = session
        return session

    def user_of(self, token: str) -> str | None:
        session = self._open.get(token)
        if session is None or session.expires <= self._clock():
            self._open.pop(token, None)
            return None
        return session.user

    def end(self, token: str) -> None:
        self._open.pop(token, None)
