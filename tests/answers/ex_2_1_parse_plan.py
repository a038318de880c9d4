"""2.1: from the text of a plan to its subtasks."""

import re

ID = "2.1"


def one_pattern(text, *, limit=4):
    mark = re.compile(r"(?:[-*•]|\d+[.)])\s+")
    found = []
    for raw in text.splitlines():
        line = raw.strip() + " "
        while match := mark.match(line):
            line = line[match.end() :]
        line = line.strip()
        if line and line[-1] != ":" and line.lower() not in [known.lower() for known in found]:
            found.append(line)
    if not found:
        raise ValueError("no subtask")
    return found[:limit]


def by_words(text, *, limit=4):
    seen, subtasks = set(), []
    for line in text.split("\n"):
        rest = line.strip()
        while rest:
            word, *more = rest.split(None, 1)
            numbered = word[:-1].isdigit() and word[-1] in ".)"
            if word not in {"-", "*", "•"} and not numbered:
                break
            rest = more[0] if more else ""
        if not rest or rest.endswith(":") or rest.casefold() in seen:
            continue
        seen.add(rest.casefold())
        subtasks.append(rest)
        if len(subtasks) == limit:
            break
    if subtasks:
        return tuple(subtasks)
    raise ValueError(f"nothing to do in {text!r}")


class EmptyPlan(ValueError):
    pass


def with_generators(text, *, limit=4):
    def bare(line):
        while True:
            shorter = re.sub(r"^(?:[-*•]|[0-9]+[.)])\s+", "", line.lstrip())
            if shorter == line:
                return line.strip()
            line = shorter

    lines = (bare(line + "\n") for line in text.splitlines())
    kept = {}
    for line in lines:
        if line and not line.endswith(":"):
            kept.setdefault(line.upper(), line)
    if not kept:
        raise EmptyPlan
    return [*kept.values()][:limit]


RIGHT = [one_pattern, by_words, with_generators]


def strips_characters(text, *, limit=4):
    lines = [line.strip().lstrip("-*•0123456789.) ") for line in text.splitlines()]
    lines = list(dict.fromkeys(line for line in lines if line and not line.endswith(":")))
    if not lines:
        raise ValueError
    return lines[:limit]


def splits_at_a_dot(text, *, limit=4):
    lines = [line.strip().split(". ", 1)[-1].strip() for line in text.splitlines()]
    lines = list(dict.fromkeys(line for line in lines if line and not line.endswith(":")))
    if not lines:
        raise ValueError
    return lines[:limit]


def numbers_only(text, *, limit=4):
    found = re.findall(r"^\s*\d+\.\s+(.+?)\s*$", text, re.MULTILINE)
    if not found:
        raise ValueError
    return found[:limit]


def first_mark_only(text, *, limit=4):
    lines = [re.sub(r"^\s*(?:[-*•]|\d+[.)])\s+", "", line).strip() for line in text.splitlines()]
    kept = {}
    for line in lines:
        if line and not line.endswith(":"):
            kept.setdefault(line.casefold(), line)
    if not kept:
        raise ValueError
    return list(kept.values())[:limit]


def mark_without_space(text, *, limit=4):
    kept = {}
    for line in text.splitlines():
        rest = re.sub(r"^\s*(?:(?:[-*•]|\d+[.)])\s*)*", "", line).strip()
        if rest and not rest.endswith(":"):
            kept.setdefault(rest.casefold(), rest)
    if not kept:
        raise ValueError
    return list(kept.values())[:limit]


def keeps_repeats(text, *, limit=4):
    lines = [
        re.sub(r"^\s*(?:(?:[-*•]|\d+[.)])(?:\s+|$))*", "", x).strip() for x in text.split("\n")
    ]
    lines = [line for line in lines if line and not line.endswith(":")]
    if not lines:
        raise ValueError
    return lines[:limit]


def repeats_by_exact_case(text, *, limit=4):
    lines = [
        re.sub(r"^\s*(?:(?:[-*•]|\d+[.)])(?:\s+|$))*", "", x).strip() for x in text.split("\n")
    ]
    lines = list(dict.fromkeys(line for line in lines if line and not line.endswith(":")))
    if not lines:
        raise ValueError
    return lines[:limit]


def last_repeat_stays(text, *, limit=4):
    lines = [
        re.sub(r"^\s*(?:(?:[-*•]|\d+[.)])(?:\s+|$))*", "", x).strip() for x in text.split("\n")
    ]
    kept = {line.casefold(): line for line in lines if line and not line.endswith(":")}
    if not kept:
        raise ValueError
    return list(kept.values())[:limit]


def keeps_headings(text, *, limit=4):
    lines = [
        re.sub(r"^\s*(?:(?:[-*•]|\d+[.)])(?:\s+|$))*", "", x).strip() for x in text.split("\n")
    ]
    kept = {}
    for line in lines:
        if line:
            kept.setdefault(line.casefold(), line)
    if not kept:
        raise ValueError
    return list(kept.values())[:limit]


def limits_before_skipping(text, *, limit=4):
    return one_pattern("\n".join(text.splitlines()[:limit]), limit=limit)


def limit_ignored(text, *, limit=4):
    return one_pattern(text, limit=1_000)


def limit_fixed(text, *, limit=4):
    return one_pattern(text, limit=4)


def empty_is_empty(text, *, limit=4):
    try:
        return one_pattern(text, limit=limit)
    except ValueError:
        return []


def lower_cases(text, *, limit=4):
    return [line.lower() for line in one_pattern(text, limit=limit)]


def skips_every_colon(text, *, limit=4):
    return one_pattern("\n".join(x for x in text.splitlines() if ":" not in x), limit=limit)


def drops_the_full_stop(text, *, limit=4):
    return [line.rstrip(".") for line in one_pattern(text, limit=limit)]


def joins_words_anew(text, *, limit=4):
    return [" ".join(line.split()) for line in one_pattern(text, limit=limit)]


def capitalizes(text, *, limit=4):
    return [line[0].upper() + line[1:] for line in one_pattern(text, limit=limit)]


def two_marks_at_most(text, *, limit=4):
    mark = r"^\s*(?:(?:[-*•]|\d+[.)])(?:\s+|$)){0,2}"
    kept = {}
    for line in text.splitlines():
        rest = re.sub(mark, "", line).strip()
        if rest and not rest.endswith(":"):
            kept.setdefault(rest.casefold(), rest)
    if not kept:
        raise ValueError
    return list(kept.values())[:limit]


def raises_a_group(text, *, limit=4):
    try:
        return one_pattern(text, limit=limit)
    except ValueError as error:
        raise ExceptionGroup("no plan", [error]) from None


def a_generator(text, *, limit=4):
    yield from one_pattern(text, limit=limit)


async def is_async(text, *, limit=4):
    return one_pattern(text, limit=limit)


WRONG = [
    (strips_characters, "a mark is followed by white space"),
    (splits_at_a_dot, "is numbering as well"),
    (numbers_only, "A line without a mark"),
    (first_mark_only, "All leading marks are removed"),
    (mark_without_space, "a mark is followed by white space"),
    (keeps_repeats, "A repeat is dropped"),
    (repeats_by_exact_case, "A repeat is dropped"),
    (last_repeat_stays, "the first one stays"),
    (keeps_headings, "ends with a colon"),
    (limits_before_skipping, "Blank lines are skipped"),
    (limit_ignored, "At most `limit`"),
    (limit_fixed, "At most `limit`"),
    (empty_is_empty, "raises a ValueError"),
    (lower_cases, "Numbering such as"),
    (skips_every_colon, "A subtask stays as it is"),
    (drops_the_full_stop, "what a subtask ends with is a part of it"),
    (joins_words_anew, "A subtask stays as it is"),
    (capitalizes, "A subtask stays as it is"),
    (two_marks_at_most, "All leading marks are removed"),
    (raises_a_group, "wrapped in a group"),
    (a_generator, "Numbering such as"),
    (is_async, "plain function here"),
]
