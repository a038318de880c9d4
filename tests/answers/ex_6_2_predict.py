"""6.2: the clock of a planned fan-out."""

import asyncio
import heapq

ID = "6.2"


def a_list_of_places(seconds, *, limit=None, plan=0.0, merge=0.0):
    if limit is not None and limit < 1:
        raise ValueError("limit has to be 1 or more")
    if not seconds:
        return plan + merge
    free = [0.0] * (limit or len(seconds))
    for took in seconds:
        place = free.index(min(free))
        free[place] += took
    return plan + max(free) + merge


def a_heap_of_ends(seconds, *, limit=None, plan=0.0, merge=0.0):
    if limit is None:
        limit = max(len(seconds), 1)
    elif limit <= 0:
        raise ValueError(limit)
    running, now, last = [], plan, plan
    for took in seconds:
        if len(running) == limit:
            now = heapq.heappop(running)
        heapq.heappush(running, now + took)
        last = max(last, now + took)
    return last + merge


def second_by_event(seconds, *, limit=None, plan=0.0, merge=0.0):
    if limit is not None and limit < 1:
        raise ValueError("no place at all")
    waiting, running, now = list(seconds), [], plan
    while waiting or running:
        while waiting and (limit is None or len(running) < limit):
            running.append(now + waiting.pop(0))
        running.sort()
        now = running.pop(0)
    return now + merge


RIGHT = [a_list_of_places, a_heap_of_ends, second_by_event]


def _refuse(limit):
    if limit is not None and limit < 1:
        raise ValueError("limit has to be 1 or more")


def _but(makespan, seconds, limit, plan, merge):
    _refuse(limit)
    if not seconds:
        return plan + merge
    if limit is None:
        return plan + max(seconds) + merge
    return plan + makespan(seconds, limit) + merge


def batch_by_batch(seconds, *, limit=None, plan=0.0, merge=0.0):
    def batches(seconds, limit):
        return sum(max(seconds[at : at + limit]) for at in range(0, len(seconds), limit))

    return _but(batches, seconds, limit, plan, merge)


def the_lower_bound(seconds, *, limit=None, plan=0.0, merge=0.0):
    return _but(lambda s, n: max(max(s), sum(s) / n), seconds, limit, plan, merge)


def one_after_another(seconds, *, limit=None, plan=0.0, merge=0.0):
    _refuse(limit)
    return plan + sum(seconds) + merge


def all_at_once(seconds, *, limit=None, plan=0.0, merge=0.0):
    _refuse(limit)
    return plan + max(seconds, default=0.0) + merge


def longest_first(seconds, *, limit=None, plan=0.0, merge=0.0):
    return a_list_of_places(sorted(seconds, reverse=True), limit=limit, plan=plan, merge=merge)


def in_turn(seconds, *, limit=None, plan=0.0, merge=0.0):
    return _but(lambda s, n: max(sum(s[k::n]) for k in range(n)), seconds, limit, plan, merge)


def zero_is_no_limit(seconds, *, limit=None, plan=0.0, merge=0.0):
    return a_list_of_places(seconds, limit=limit or None, plan=plan, merge=merge)


def forgets_the_merge(seconds, *, limit=None, plan=0.0, merge=0.0):
    return a_list_of_places(seconds, limit=limit, plan=plan)


def forgets_the_plan(seconds, *, limit=None, plan=0.0, merge=0.0):
    return a_list_of_places(seconds, limit=limit, merge=merge)


def merges_each(seconds, *, limit=None, plan=0.0, merge=0.0):
    _refuse(limit)
    return a_list_of_places(seconds, limit=limit, plan=plan, merge=merge * len(seconds))


def plans_each(seconds, *, limit=None, plan=0.0, merge=0.0):
    return a_list_of_places([plan + took for took in seconds], limit=limit, merge=merge) + (
        0.0 if seconds else plan
    )


def plans_and_merges_each(seconds, *, limit=None, plan=0.0, merge=0.0):
    return a_list_of_places([plan + took + merge for took in seconds], limit=limit) + (
        0.0 if seconds else plan + merge
    )


def no_place_for_no_task(seconds, *, limit=None, plan=0.0, merge=0.0):
    _refuse(limit)
    free = [plan] * (limit or len(seconds))
    for took in seconds:
        free[free.index(min(free))] += took
    return max(free) + merge


def runs_it(seconds, *, limit=None, plan=0.0, merge=0.0):
    async def main():
        await asyncio.sleep(plan + max(seconds, default=0.0) + merge)

    coroutine = main()
    try:
        return asyncio.run(coroutine)
    finally:
        coroutine.close()


def nothing_takes_nothing(seconds, *, limit=None, plan=0.0, merge=0.0):
    return a_list_of_places(seconds, limit=limit, plan=plan, merge=merge) if seconds else 0.0


def the_last_one(seconds, *, limit=None, plan=0.0, merge=0.0):
    if limit is not None and limit < 1:
        raise ValueError("limit has to be 1 or more")
    free, end = [plan] * (limit or max(len(seconds), 1)), plan
    for took in seconds:
        place = free.index(min(free))
        free[place] += took
        end = free[place]
    return end + merge


def uses_up_the_list(seconds, *, limit=None, plan=0.0, merge=0.0):
    answer = a_list_of_places(seconds, limit=limit, plan=plan, merge=merge)
    seconds.clear()
    return answer


def as_text(seconds, *, limit=None, plan=0.0, merge=0.0):
    return f"{a_list_of_places(seconds, limit=limit, plan=plan, merge=merge)} s"


WRONG = [
    (batch_by_batch, "batch by batch"),
    (the_lower_bound, "That is the lower bound"),
    (one_after_another, "one after another"),
    (all_at_once, "all at once"),
    (longest_first, "the longest first"),
    (in_turn, "a place fixed beforehand"),
    (zero_is_no_limit, "limit=0 is under 1"),
    (forgets_the_merge, "add `merge`"),
    (forgets_the_plan, "add `plan`"),
    (merges_each, "the merge once"),
    (plans_each, "adds the plan to each task"),
    (plans_and_merges_each, "adds plan and merge to each task"),
    (no_place_for_no_task, "are all that takes time"),
    (runs_it, "a plain `def`, which can wait for nothing"),
    (nothing_takes_nothing, "With no task"),
    (the_last_one, "It need not be the last to end"),
    (uses_up_the_list, "changed what was passed in"),
    (as_text, "It returns seconds, a number"),
]
