"""1.1: from a router's messy reply to one route."""

import re

ID = "1.1"


def words_in_a_set(reply, routes):
    words = set(re.findall(r"[^\W_]+(?:-[^\W_]+)*", reply.casefold()))
    found = words & set(routes)
    return found.pop() if len(found) == 1 else None


def pattern_for_each(reply, routes):
    def named(route):
        edge = r"[^\W_]"
        return re.search(rf"(?<!{edge})(?<!{edge}-){re.escape(route)}(?!{edge})(?!-{edge})", low)

    low = reply.lower()
    hits = [route for route in routes if named(route)]
    if len(hits) != 1:
        return None
    return hits[0]


def by_characters(reply, routes):
    text = f" {reply.lower()} "
    clean = ""
    for before, sign, after in zip(text, text[1:], text[2:], strict=False):
        joins = sign == "-" and before.isalnum() and after.isalnum()
        clean += sign if sign.isalnum() or joins else " "
    chosen = None
    for word in clean.split():
        if word in routes and word != chosen:
            if chosen is not None:
                return None
            chosen = word
    return chosen


RIGHT = [words_in_a_set, pattern_for_each, by_characters]


def exact(reply, routes):
    reply = reply.strip()
    return reply if reply in routes else None


def strips_the_ends(reply, routes):
    reply = reply.strip(" \n.,!\"'*`_#").lower()
    return reply if reply in routes else None


def substring(reply, routes):
    hits = [route for route in routes if route in reply.lower()]
    return hits[0] if len(hits) == 1 else None


def first_named(reply, routes):
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", reply.lower())
    return next((word for word in words if word in routes), None)


def word_boundary(reply, routes):
    hits = [route for route in routes if re.search(rf"\b{route}\b", reply, re.IGNORECASE)]
    return hits[0] if len(hits) == 1 else None


def counts_repeats(reply, routes):
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", reply.lower())
    hits = [word for word in words if word in routes]
    return hits[0] if len(hits) == 1 else None


def ascii_only(reply, routes):
    hits = set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", reply.lower())) & set(routes)
    return hits.pop() if len(hits) == 1 else None


def hyphens_belong_anyhow(reply, routes):
    hits = set(re.findall(r"[^\W_](?:[^\W_]|-)*", reply.lower())) & set(routes)
    return hits.pop() if len(hits) == 1 else None


def splits_at_spaces(reply, routes):
    words = {word.strip(".,!?:;\"'*`_(){}/…-") for word in reply.lower().split()}
    hits = words & set(routes)
    return hits.pop() if len(hits) == 1 else None


def longest_wins(reply, routes):
    hits = sorted(set(re.findall(r"[^\W_]+(?:-[^\W_]+)*", reply.lower())) & set(routes), key=len)
    return hits[-1] if hits else None


def empty_for_none(reply, routes):
    return words_in_a_set(reply, routes) or ""


def raises_for_none(reply, routes):
    found = words_in_a_set(reply, routes)
    if found is None:
        raise ValueError(reply)
    return found


async def is_async(reply, routes):
    return words_in_a_set(reply, routes)


WRONG = [
    (exact, "Letter case does not count"),
    (strips_the_ends, "Words, lines and markdown"),
    (substring, "is one word"),
    (first_named, "Two different routes"),
    (word_boundary, "An underscore is punctuation"),
    (counts_repeats, "named twice is still one"),
    (ascii_only, "é is a letter"),
    (hyphens_belong_anyhow, "A hyphen joins only"),
    (splits_at_spaces, "apostrophe"),
    (longest_wins, "Two different routes"),
    (empty_for_none, "Only a whole word"),
    (raises_for_none, "Only a whole word"),
    (is_async, "plain function here"),
]
