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


def cut_at_what_joins_nothing(reply, routes):
    low = re.sub(r"(?<![^\W_])-|-(?![^\W_])", " ", reply.lower())
    named = {word for word in re.split(r"[\W_]+", low.replace("-", "ǀ")) if word}
    known = {route.replace("-", "ǀ"): route for route in routes}
    hits = [route for word, route in known.items() if word in named]
    return hits[0] if len(hits) == 1 else None


def one_pattern_for_all(reply, routes):
    edge = r"[^\W_]"
    any_of_them = "|".join(map(re.escape, routes)) or r"(?!)"
    whole = rf"(?<!{edge})(?<!{edge}-)(?:{any_of_them})(?!{edge}|-{edge})"
    match {hit.lower() for hit in re.findall(whole, reply, re.IGNORECASE)}:
        case found if len(found) == 1:
            return found.pop()


RIGHT = [
    words_in_a_set,
    pattern_for_each,
    by_characters,
    cut_at_what_joins_nothing,
    one_pattern_for_all,
]


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


def a_dash_joins_as_well(reply, routes):
    words = re.findall(r"[^\W_]+(?:[-–—][^\W_]+)*", reply.lower())
    hits = set(words) & set(routes)
    return hits.pop() if len(hits) == 1 else None


def one_hyphen_at_most(reply, routes):
    hits = set(re.findall(r"[^\W_]+(?:-[^\W_]+)?", reply.lower())) & set(routes)
    return hits.pop() if len(hits) == 1 else None


def digits_are_no_letters(reply, routes):
    hits = set(re.findall(r"[^\W\d_]+(?:-[^\W_]+)*", reply.lower())) & set(routes)
    return hits.pop() if len(hits) == 1 else None


def white_space_around(reply, routes):
    low = f" {reply.lower()} "
    hits = [route for route in routes if f" {route} " in low]
    return hits[0] if len(hits) == 1 else None


def hyphens_are_spaces(reply, routes):
    words = re.findall(r"[^\W_]+", reply.lower())
    hits = [route for route in routes if f" {route.replace('-', ' ')} " in f" {' '.join(words)} "]
    return max(hits, key=len) if hits and all(h in max(hits, key=len) for h in hits) else None


def the_last_one_named(reply, routes):
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", reply.lower())
    return next((word for word in reversed(words) if word in routes), None)


def as_it_was_written(reply, routes):
    known = {route.lower() for route in routes}
    words = re.findall(r"[^\W_]+(?:-[^\W_]+)*", reply)
    hits = {word for word in words if word.lower() in known}
    return hits.pop() if len({hit.lower() for hit in hits}) == 1 else None


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
    (a_dash_joins_as_well, "A dash is no hyphen"),
    (one_hyphen_at_most, "between two letters joins them"),
    (digits_are_no_letters, "a digit belongs to the word"),
    (white_space_around, "punctuation do not count"),
    (hyphens_are_spaces, "Without its hyphen"),
    (the_last_one_named, "Two different routes"),
    (as_it_was_written, "Letter case does not count"),
    (is_async, "plain function here"),
]
