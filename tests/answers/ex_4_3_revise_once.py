"""4.3: one more try for what was kicked back."""

import asyncio

ID = "4.3"


async def safely(worker, spec, feedback):
    try:
        return await worker(spec, feedback), None
    except Exception as error:
        return None, f"failed: {error}"


async def by_place(worker, specs, gate):
    board = [(False, {"_kicked": None})] * len(specs)
    todo = range(len(specs))
    for _ in range(2):
        came = await asyncio.gather(*(safely(worker, specs[i], board[i][1]["_kicked"])
                                      for i in todo))  # fmt: skip
        for i, (finding, failure) in zip(todo, came, strict=True):
            if failure:
                board[i] = (False, {"_kicked": failure})
                continue
            passed, kicked = gate([finding])
            board[i] = (True, passed[0]) if passed else (False, kicked[0])
        todo = [i for i in todo if not board[i][0]]
    return [f for ok, f in board if ok], [f for ok, f in board if not ok]


async def with_return_exceptions(worker, specs, gate):
    def sort(finding):
        if isinstance(finding, Exception):
            return None, {"_kicked": f"failed: {finding}"}
        passed, kicked = gate([finding])
        return (passed[0], None) if passed else (None, kicked[0])

    tries = [worker(spec, None) for spec in specs]
    board = list(map(sort, await asyncio.gather(*tries, return_exceptions=True)))
    again = {i: kicked["_kicked"] for i, (_, kicked) in enumerate(board) if kicked is not None}
    tries = [worker(specs[i], why) for i, why in again.items()]
    for i, finding in zip(again, await asyncio.gather(*tries, return_exceptions=True), strict=True):
        board[i] = sort(finding)
    return tuple([pair[k] for pair in board if pair[1 - k] is None] for k in (0, 1))


async def asks_about_all(worker, specs, gate):
    async def round_(places, feedback):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(safely(worker, specs[i], feedback.get(i))) for i in places]
        good, bad = {}, {}
        came = [
            (i, f) for i, t in zip(places, tasks, strict=True) for f, e in [t.result()] if not e
        ]
        bad |= {i: {"_kicked": e} for i, t in zip(places, tasks, strict=True)
                for _, e in [t.result()] if e}  # fmt: skip
        passed, kicked = map(list, gate([f for _, f in came]))
        for i, finding in came:
            if gate([finding])[0]:
                good[i] = passed.pop(0)
            else:
                bad[i] = kicked.pop(0)
        return good, bad

    good, bad = await round_(range(len(specs)), {})
    if bad:
        more, bad = await round_(sorted(bad), {i: f["_kicked"] for i, f in bad.items()})
        good |= more
    return [good[i] for i in sorted(good)], [bad[i] for i in sorted(bad)]


RIGHT = [by_place, with_return_exceptions, asks_about_all]


async def one_after_another(worker, specs, gate):
    passed, rejected = [], []
    for spec in specs:
        feedback = None
        for _ in range(2):
            finding, failure = await safely(worker, spec, feedback)
            good, bad = ([], [{"_kicked": failure}]) if failure else gate([finding])
            if good:
                break
            feedback = bad[0]["_kicked"]
        passed += good
        rejected += [] if good else bad
    return passed, rejected


async def no_barrier(worker, specs, gate):
    async def whole(spec):
        return await one_after_another(worker, [spec], gate)

    ends = await asyncio.gather(*(whole(spec) for spec in specs))
    return [f for p, _ in ends for f in p], [f for _, r in ends for f in r]


async def until_it_passes(worker, specs, gate):
    board, todo = {i: {"_kicked": None} for i in range(len(specs))}, list(range(len(specs)))
    good = {}
    for _ in range(5):
        came = await asyncio.gather(*(safely(worker, specs[i], board[i]["_kicked"]) for i in todo))
        for i, (finding, failure) in zip(list(todo), came, strict=True):
            passed, kicked = ([], [{"_kicked": failure}]) if failure else gate([finding])
            if passed:
                good[i] = passed[0]
                todo.remove(i)
            else:
                board[i] = kicked[0]
    return [good[i] for i in sorted(good)], [board[i] for i in todo]


async def revised_to_the_end(worker, specs, gate):
    first = await asyncio.gather(*(safely(worker, spec, None) for spec in specs))
    passed, again, rejected = [], [], []
    for spec, (finding, failure) in zip(specs, first, strict=True):
        good, bad = ([], [{"_kicked": failure}]) if failure else gate([finding])
        passed += good
        again += [(spec, b["_kicked"]) for b in bad]
    second = await asyncio.gather(*(safely(worker, *pair) for pair in again))
    for finding, failure in second:
        good, bad = ([], [{"_kicked": failure}]) if failure else gate([finding])
        passed += good
        rejected += bad
    return passed, rejected


async def no_feedback(worker, specs, gate):
    async def deaf(spec, feedback):
        return await worker(spec, None)

    return await by_place(deaf, specs, gate)


async def a_failure_sinks_all(worker, specs, gate):
    findings = await asyncio.gather(*(worker(spec, None) for spec in specs))
    boards = [gate([f]) for f in findings]
    again = [(s, b[1][0]["_kicked"]) for s, b in zip(specs, boards, strict=True) if b[1]]
    fresh = iter(await asyncio.gather(*(worker(*pair) for pair in again)))
    boards = [gate([next(fresh)]) if b[1] else b for b in boards]
    return [f for b in boards for f in b[0]], [f for b in boards for f in b[1]]


async def failures_not_revised(worker, specs, gate):
    lost = {}

    async def once(spec, feedback):
        if repr(spec) in lost:
            raise lost[repr(spec)]
        try:
            return await worker(spec, feedback)
        except Exception as error:
            lost[repr(spec)] = error
            raise

    return await by_place(once, specs, gate)


async def never_revises(worker, specs, gate):
    first = await asyncio.gather(*(safely(worker, spec, None) for spec in specs))
    boards = [([], [{"_kicked": e}]) if e else gate([f]) for f, e in first]
    return [f for b in boards for f in b[0]], [f for b in boards for f in b[1]]


async def by_name(worker, specs, gate):
    async def named(spec, feedback):
        return await worker(spec=spec, feedback=feedback)

    return await by_place(named, specs, gate)


async def swallows_the_cancel(worker, specs, gate):
    try:
        return await by_place(worker, specs, gate)
    except asyncio.CancelledError:
        return [], []


WRONG = [
    (one_after_another, "all first tries run together"),
    (no_barrier, "behind a barrier"),
    (until_it_passes, "One revision and no more"),
    (revised_to_the_end, "in the order of `specs`"),
    (no_feedback, "as feedback"),
    (a_failure_sinks_all, "It raised an exception"),
    (failures_not_revised, "exactly one more try"),
    (never_revises, "exactly one more try"),
    (by_name, "positional"),
    (swallows_the_cancel, "CancelledError"),
]
