"""The judge's end of a conversation with code that may say anything."""

from __future__ import annotations

import json
import time
from typing import Any

from ..checks.judge import Channel, NotAttempted, NotYet, TimeLimit
from .children import PATIENCE, Gone, Late, Link, Nonsense
from .sandbox import Limits

Message = dict[str, Any]


class Talk:
    """A conversation with the learner's end, within its limits.

    Args:
        link: The process.
        limits: What it may use.
    """

    def __init__(self, link: Link, limits: Limits) -> None:
        self._link = link
        self._limits = limits
        self._room = limits.message
        self.ended: str | None = None
        """How the process ended; None while it is there."""

    def start(self) -> None:
        """Wait until it is there.

        Raises:
            Gone: When it does not come.
        """
        if not self._receive(PATIENCE).get("ready"):
            raise self.over(Gone("it could not be started"))

    def ask(self, message: Message, seconds: float) -> Message:
        """Send a message and receive the answer.

        Raises:
            Gone: When there is none.
        """
        self.tell(message)
        return self._receive(seconds)

    def renew(self) -> None:
        """Give the learner's end its full room for messages again."""
        self._room = self._limits.message

    def close(self) -> None:
        """End it."""
        if self.ended is None:
            self.ended = self._link.close()

    def tell(self, message: Message) -> None:
        """Send a message that has no answer.

        Raises:
            Gone: When nobody is there.
        """
        if self.ended is not None:
            raise Gone(self.ended)
        try:
            self._link.send(message)
        except Gone as gone:
            raise self.over(gone) from None

    def _receive(self, seconds: float) -> Message:
        if self.ended is not None:
            raise Gone(self.ended)
        try:
            line = self._link.line(seconds, self._room)
        except Gone as gone:
            raise self.over(gone) from None
        self._room -= len(line)
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            raise self.over(Nonsense("it said something that is no message")) from None
        if not isinstance(message, dict):
            raise self.over(Nonsense("it said something that is no message"))
        if "broken" in message:
            raise self.over(Gone(f"it could not be started: {str(message['broken'])[:300]}"))
        return message

    def over(self, gone: Gone) -> Gone:
        """End the conversation, and say with the same kind of exception how it ended."""
        if self.ended is None:
            told = str(gone)
            how = self._link.close(at_its_end=not told)
            self.ended = told or how
        return type(gone)(self.ended)


class Remote:
    """A player (see `labkit.checks.judge.Player`) whose function lives at the other end.

    Args:
        talk: The conversation.
        name: The function.
        limits: How long it may take.
        left: Real seconds that the notebook still has.
    """

    def __init__(self, talk: Talk, name: str, limits: Limits, left: float) -> None:
        self._talk = talk
        self._name = name
        self._limits = limits
        self._until = time.monotonic() + min(limits.exercise, left)

    def play(self, job: Message, channel: Channel) -> None:
        """Run one job; see `labkit.checks.judge.Player`."""
        deadline = min(time.monotonic() + self._limits.run, self._until)
        message: Message = {"do": "play", "name": self._name, "job": job}
        try:
            while True:
                turn = self._talk.ask(message, deadline - time.monotonic())
                message = self._answer(turn, channel)
                if turn.get("end"):
                    self._talk.tell(message)
                    return
        except Late:
            raise TimeLimit from None
        except Gone:
            return  # the run stays without an end

    def _answer(self, turn: Message, channel: Channel) -> Message:
        try:
            return channel(turn)
        except (NotYet, NotAttempted):
            raise
        except Exception:
            # Whatever a message that fits no protocol does to the judge is the sender's fault.
            over = Nonsense("it said something that is no message")
            raise self._talk.over(over) from None
