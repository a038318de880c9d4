"""8.2: results in any order, joined to what was asked."""

from collections import Counter

ID = "8.2"


def two_dicts(requests, results):
    by_id = {row["custom_id"]: row["result"] for row in results}
    asked = {row["custom_id"]: None for row in requests}
    if len(by_id) != len(results) or len(asked) != len(requests):
        raise ValueError("a custom_id stands twice")
    if by_id.keys() - asked.keys():
        raise ValueError("nobody asked for it")
    return list({**asked, **by_id}.values())


def slots(requests, results):
    place = {}
    for index, request in enumerate(requests):
        if request["custom_id"] in place:
            raise ValueError(request["custom_id"])
        place[request["custom_id"]] = index
    joined, filled = [None] * len(requests), set()
    for row in results:
        id = row["custom_id"]
        if id not in place or id in filled:
            raise ValueError(id)
        filled.add(id)
        joined[place[id]] = row["result"]
    return joined


def counted(requests, results):
    asked = Counter(request["custom_id"] for request in requests)
    came = Counter(row["custom_id"] for row in results)
    if any(n > 1 for n in (asked + Counter()).values()) or any(n > 1 for n in came.values()):
        raise ValueError("twice")
    if came - asked:
        raise ValueError("unasked")
    return tuple(
        next((row["result"] for row in results if row["custom_id"] == id), None) for id in asked
    )


RIGHT = [two_dicts, slots, counted]


def by_place(requests, results):
    return [row["result"] for row in results]


def sorted_by_id(requests, results):
    two_dicts(requests, results)
    by_id = {row["custom_id"]: row["result"] for row in results}
    return [by_id.get(id) for id in sorted(request["custom_id"] for request in requests)]


def only_what_came(requests, results):
    two_dicts(requests, results)
    by_id = {row["custom_id"]: row["result"] for row in results}
    return [by_id[r["custom_id"]] for r in requests if r["custom_id"] in by_id]


def missing_is_an_error(requests, results):
    two_dicts(requests, results)
    by_id = {row["custom_id"]: row["result"] for row in results}
    return [by_id[request["custom_id"]] for request in requests]


def falsy_is_missing(requests, results):
    return [result or None for result in two_dicts(requests, results)]


def whole_rows(requests, results):
    two_dicts(requests, results)
    by_id = {row["custom_id"]: row for row in results}
    return [by_id.get(request["custom_id"]) for request in requests]


def last_one_stays(requests, results):
    by_id = {row["custom_id"]: row["result"] for row in results}
    if set(by_id) - {request["custom_id"] for request in requests}:
        raise ValueError("unasked")
    if len({request["custom_id"] for request in requests}) < len(requests):
        raise ValueError("twice")
    return [by_id.get(request["custom_id"]) for request in requests]


def strangers_are_dropped(requests, results):
    asked = {request["custom_id"] for request in requests}
    return two_dicts(requests, [row for row in results if row["custom_id"] in asked])


def requests_are_trusted(requests, results):
    by_id = {row["custom_id"]: row["result"] for row in results}
    if len(by_id) < len(results) or set(by_id) - {r["custom_id"] for r in requests}:
        raise ValueError("results")
    return [by_id.get(request["custom_id"]) for request in requests]


def key_error(requests, results):
    try:
        return two_dicts(requests, results)
    except ValueError as fault:
        raise KeyError(str(fault)) from None


def sorts_in_place(requests, results):
    answer = two_dicts(requests, results)
    results.sort(key=lambda row: row["custom_id"])
    return answer


def only_successes(requests, results):
    return [
        result if result and result["type"] == "succeeded" else None
        for result in two_dicts(requests, results)
    ]


def opened(requests, results):
    return [result.get("message") if result else None for result in two_dicts(requests, results)]


def opened_where_it_can(requests, results):
    return [
        result["message"]
        if isinstance(result, dict) and result.get("type") == "succeeded"
        else result
        for result in two_dicts(requests, results)
    ]


def looks_at_all_types(requests, results):
    joined = two_dicts(requests, results)
    for result in joined:
        if result is not None and result["type"] == "errored":
            raise RuntimeError(result["error"])
    return joined


def more_results_than_requests(requests, results):
    asked = [request["custom_id"] for request in requests]
    by_id = {row["custom_id"]: row["result"] for row in results}
    if len(set(asked)) < len(asked) or set(by_id) - set(asked) or len(results) > len(requests):
        raise ValueError("twice or unasked")
    return [by_id.get(id) for id in asked]


def none_is_no_first_answer(requests, results):
    asked = [request["custom_id"] for request in requests]
    by_id = {}
    for row in results:
        if by_id.get(row["custom_id"]) is not None:
            raise ValueError("twice")
        by_id[row["custom_id"]] = row["result"]
    if len(set(asked)) < len(asked) or set(by_id) - set(asked):
        raise ValueError("twice or unasked")
    return [by_id.get(id) for id in asked]


WRONG = [
    (by_place, "the request of the same custom_id"),
    (sorted_by_id, "the order of the requests"),
    (only_what_came, "None stands in the request's place"),
    (missing_is_an_error, "That is no fault"),
    (falsy_is_missing, "handed on as it is"),
    (whole_rows, "the request of the same custom_id"),
    (last_one_stays, "twice among the results"),
    (strangers_are_dropped, "no request asked for"),
    (requests_are_trusted, "twice among the requests"),
    (key_error, "twice among the requests"),
    (sorts_in_place, "changed what was passed in"),
    (only_successes, "whatever its `type`"),
    (opened, "the request of the same custom_id"),
    (opened_where_it_can, "the request of the same custom_id"),
    (looks_at_all_types, "whatever its `type`"),
    (more_results_than_requests, "twice among the results"),
    (none_is_no_first_answer, "twice among the results"),
]
