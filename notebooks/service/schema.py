"""Orders in SQLite: the tables, and the few queries the service needs."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY,
    customer TEXT NOT NULL,
    cents INTEGER NOT NULL CHECK (cents >= 0),
    state TEXT NOT NULL DEFAULT 'open'
);
CREATE INDEX IF NOT EXISTS orders_by_customer ON orders (customer);
"""


@contextmanager
def database(path: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        connection.executescript(TABLES)
        with connection:
            yield connection
    finally:
        connection.close()


def add_order(db: sqlite3.Connection, customer: str, cents: int) -> int:
    cursor = db.execute("INSERT INTO orders (customer, cents) VALUES (?, ?)", (customer, cents))
    return int(cursor.lastrowid or 0)


def orders_of(db: sqlite3.Connection, customer: str, state: str = "open") -> list[sqlite3.Row]:
    return db.execute(
        f"SELECT id, cents FROM orders WHERE customer = '{customer}' AND state = ?", (state,)
    ).fetchall()


def close_order(db: sqlite3.Connection, order: int) -> bool:
    cursor = db.execute("UPDATE orders SET state = 'closed' WHERE id = ?", (order,))
    return cursor.rowcount == 1
