"""4.4: the report."""

ID = "4.4"
HEAD = "FLEET REPORT"


def sorted_and_seen(passed):
    lines, seen = [HEAD], set()
    for f in sorted(passed, key=lambda f: f["id"]):
        if f["topic"] not in seen:
            seen.add(f["topic"])
            lines.append(f"- {f['claim']} [{f['evidence']}]")
    if not seen:
        lines.append("(nothing passed the gate)")
    return "\n".join(lines)


def lowest_of_each(passed):
    if not passed:
        return HEAD + "\n(nothing passed the gate)"
    lowest = {}
    for f in passed:
        if f["topic"] not in lowest or f["id"] < lowest[f["topic"]]["id"]:
            lowest[f["topic"]] = f
    report = HEAD
    for f in sorted(lowest.values(), key=lambda f: f["id"]):
        report += "\n- " + f["claim"] + " [" + f["evidence"] + "]"
    return report


def backwards(passed):
    down = sorted(passed, key=lambda f: -f["id"])
    kept = {f["topic"]: f for f in down}.values()
    lines = ["- {claim} [{evidence}]".format(**f) for f in sorted(kept, key=lambda f: f["id"])]
    return "\n".join([HEAD] + (lines or ["(nothing passed the gate)"]))


def grouped(passed):
    from itertools import groupby

    by_topic = sorted(passed, key=lambda f: (f["topic"], f["id"]))
    firsts = [next(group) for _, group in groupby(by_topic, key=lambda f: f["topic"])]
    firsts.sort(key=lambda f: f["id"])
    body = "".join("\n- %s [%s]" % (f["claim"], f["evidence"]) for f in firsts)  # noqa: UP031
    return HEAD + (body or "\n(nothing passed the gate)")


def by_number(passed):
    of = {f["id"]: f for f in passed}
    lines = [HEAD]
    told = []
    for number in sorted(of):
        f = of[number]
        if f["topic"] in told:
            continue
        told += [f["topic"]]
        lines += ["- {} [{}]".format(f["claim"], f["evidence"])]
    return "\n".join(lines if told else [*lines, "(nothing passed the gate)"])


RIGHT = [sorted_and_seen, lowest_of_each, backwards, grouped, by_number]


def as_they_came(passed):
    lines = {f["topic"]: f"- {f['claim']} [{f['evidence']}]" for f in reversed(passed)}
    return "\n".join([HEAD, *list(lines.values())[::-1]] if passed else [HEAD, "-"])


def all_of_them(passed):
    lines = [f"- {f['claim']} [{f['evidence']}]" for f in sorted(passed, key=lambda f: f["id"])]
    return "\n".join([HEAD, *(lines or ["(nothing passed the gate)"])])


def ids_as_text(passed):
    return sorted_and_seen([{**f, "id": str(f["id"])} for f in passed])


def the_last_stays(passed):
    kept = {f["topic"]: f for f in sorted(passed, key=lambda f: f["id"])}.values()
    return sorted_and_seen(list(kept))


def the_first_to_come_stays(passed):
    kept = {}
    for f in passed:
        kept.setdefault(f["topic"], f)
    return sorted_and_seen(list(kept.values()))


def says_nothing_of_nothing(passed):
    return sorted_and_seen(passed).replace("\n(nothing passed the gate)", "")


def ends_in_a_newline(passed):
    return sorted_and_seen(passed) + "\n"


def sorts_in_place(passed):
    passed = passed if isinstance(passed, list) else list(passed)
    passed.sort(key=lambda f: f["id"])
    return sorted_and_seen(passed)


def caseless_topics(passed):
    return sorted_and_seen([{**f, "topic": f["topic"].lower()} for f in passed])


def stripped_topics(passed):
    return sorted_and_seen([{**f, "topic": f["topic"].strip()} for f in passed])


def zero_is_no_id(passed):
    return sorted_and_seen([f for f in passed if f["id"]])


def zero_comes_last(passed):
    return sorted_and_seen([{**f, "id": f["id"] or 10_000} for f in passed])


def tidies_the_claim(passed):
    return sorted_and_seen([{**f, "claim": f["claim"].strip()} for f in passed])


def one_for_each_claim(passed):
    return sorted_and_seen([{**f, "topic": f["claim"]} for f in passed])


def only_neighbours(passed):
    lines, before = [HEAD], object()
    for f in sorted(passed, key=lambda f: f["id"]):
        if f["topic"] != before:
            lines.append(f"- {f['claim']} [{f['evidence']}]")
        before = f["topic"]
    return "\n".join(lines if len(lines) > 1 else [*lines, "(nothing passed the gate)"])


def by_topic(passed):
    kept = {}
    for f in sorted(passed, key=lambda f: f["id"]):
        kept.setdefault(f["topic"], f)
    return sorted_and_seen([{**f, "id": n} for n, (_, f) in enumerate(sorted(kept.items()))])


def downwards(passed):
    return sorted_and_seen([{**f, "id": -f["id"]} for f in passed])


def round_brackets(passed):
    return sorted_and_seen(passed).replace(" [", " (").replace("]", ")")


def prints_it(passed):
    print(sorted_and_seen(passed))


WRONG = [
    (caseless_topics, "Topics are compared as they are"),
    (stripped_topics, "Topics are compared as they are"),
    (zero_is_no_id, "0 is an id"),
    (zero_comes_last, "0 is an id"),
    (tidies_the_claim, "as they are"),
    (one_for_each_claim, "One line for each topic"),
    (only_neighbours, "One line for each topic"),
    (by_topic, ""),
    (downwards, "- claim [evidence]"),
    (round_brackets, "- claim [evidence]"),
    (prints_it, "- claim [evidence]"),
    (as_they_came, "ascending `id`"),
    (all_of_them, "One line for each topic"),
    (ids_as_text, "9 comes before 10"),
    (the_last_stays, "One line for each topic"),
    (the_first_to_come_stays, "the lowest `id` stays"),
    (says_nothing_of_nothing, "Nothing passed"),
    (ends_in_a_newline, "no newline at the end"),
    (sorts_in_place, "changed what was passed in"),
]
