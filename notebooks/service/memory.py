"""What the service keeps in memory: price look-ups, which are slow and often repeated."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol


class Catalogue(Protocol):
    def price(self, article: str, customer: str) -> int: ...


@dataclass(frozen=True)
class Quote:
    article: str
    customer: str
    cents: int


class Prices:
    """Quotes prices; a customer's discount is settled once a day."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

        @lru_cache(maxsize=None)
        def quote(article: str, customer: str) -> Quote:
            return Quote(article, customer, self._catalogue.price(article, customer))

        self._quote = quote

    def quote(self, article: str, customer: str) -> Quote:
        return self._quote(article, customer)

    def new_day(self) -> None:
        self._quote.cache_clear()
