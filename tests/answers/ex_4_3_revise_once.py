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


async def started_backwards(worker, specs, gate):
    async def judged(place, feedback=None):
        finding, failure = await safely(worker, specs[place], feedback)
        return place, finding, failure

    board, why = {}, {}
    todo = list(range(len(specs)))[::-1]
    for _ in range(2):
        tasks = [asyncio.create_task(judged(place, why.get(place))) for place in todo]
        try:
            done = [await task for task in tasks]
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        todo = []
        for place, finding, failure in sorted(done, key=lambda it: it[0], reverse=True):
            good, bad = ((), ({"_kicked": failure},)) if failure else gate((finding,))
            board[place] = (good, bad)
            if bad:
                why[place] = bad[0]["_kicked"]
                todo.append(place)
    ends = [board[place] for place in range(len(specs))]
    return [f for good, _ in ends for f in good], [f for _, bad in ends for f in bad]


async def passed_by_equality(worker, specs, gate):
    async def tried(pairs):
        came = await asyncio.gather(*(safely(worker, *pair) for pair in pairs))
        passed, kicked = gate([finding for finding, failure in came if failure is None])
        kicked = iter(kicked)
        return [
            (False, {"_kicked": failure})
            if failure is not None
            else (True, finding)
            if finding in passed
            else (False, next(kicked))
            for finding, failure in came
        ]

    board = await tried([(spec, None) for spec in specs])
    fresh = iter(
        await tried(
            [(s, out["_kicked"]) for s, (ok, out) in zip(specs, board, strict=True) if not ok]
        )
    )
    board = [(ok, out) if ok else next(fresh) for ok, out in board]
    return [out for ok, out in board if ok], [out for ok, out in board if not ok]


RIGHT = [by_place, with_return_exceptions, asks_about_all, started_backwards, passed_by_equality]


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


async def _keyed(worker, specs, gate, key, tries=(0, 1)):
    """By place; but in some of the two rounds, what came back is kept by a key of its spec."""
    board = [(False, {"_kicked": None})] * len(specs)
    todo = range(len(specs))
    for round_ in range(2):
        came = dict(
            zip(
                [key(specs[i]) if round_ in tries else i for i in todo],
                await asyncio.gather(
                    *(safely(worker, specs[i], board[i][1]["_kicked"]) for i in todo)
                ),
                strict=True,
            )
        )
        for i in todo:
            finding, failure = came[key(specs[i]) if round_ in tries else i]
            passed, kicked = ([], [{"_kicked": failure}]) if failure else gate([finding])
            board[i] = (True, passed[0]) if passed else (False, kicked[0])
        todo = [i for i in todo if not board[i][0]]
    return [f for ok, f in board if ok], [f for ok, f in board if not ok]


async def kept_by_text(worker, specs, gate):
    return await _keyed(worker, specs, gate, str)


async def kept_by_identity(worker, specs, gate):
    return await _keyed(worker, specs, gate, lambda spec: specs.index(spec))


async def second_tries_kept_by_text(worker, specs, gate):
    return await _keyed(worker, specs, gate, str, tries=(1,))


async def kept_by_spec(worker, specs, gate):
    return await _keyed(worker, specs, gate, lambda spec: spec)


async def matched_by_id(worker, specs, gate):
    first = await asyncio.gather(*(safely(worker, spec, None) for spec in specs))
    passed, kicked = gate([finding for finding, failure in first if not failure])
    by_id = {finding["id"]: finding for finding in passed}
    return [by_id[i] for i in sorted(by_id)], kicked


async def takes_dicts_for_granted(worker, specs, gate):
    findings = await asyncio.gather(*(worker(spec, None) for spec in specs))
    kicked = [f for f in findings if f.get("_kicked")]
    return gate(findings) if not kicked else (findings, kicked)


async def a_second_failure_sinks_all(worker, specs, gate):
    first = await asyncio.gather(*(safely(worker, spec, None) for spec in specs))
    boards = [([], [{"_kicked": e}]) if e else gate([f]) for f, e in first]
    again = [i for i, (good, _) in enumerate(boards) if not good]
    second = await asyncio.gather(*(worker(specs[i], boards[i][1][0]["_kicked"]) for i in again))
    for i, finding in zip(again, second, strict=True):
        boards[i] = gate([finding])
    return [f for b in boards for f in b[0]], [f for b in boards for f in b[1]]


async def in_one_group(worker, specs, gate):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker(spec, None)) for spec in specs]
    boards = [gate([task.result()]) for task in tasks]
    again = [i for i, (good, _) in enumerate(boards) if not good]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(worker(specs[i], boards[i][1][0]["_kicked"])) for i in again]
    for i, task in zip(again, tasks, strict=True):
        boards[i] = gate([task.result()])
    return [f for b in boards for f in b[0]], [f for b in boards for f in b[1]]


async def failures_through_the_gate(worker, specs, gate):
    async def safe(spec, feedback):
        finding, failure = await safely(worker, spec, feedback)
        return {"_kicked": failure} if failure else finding

    return await by_place(safe, specs, gate)


async def told_by_the_old_mark(worker, specs, gate):
    def marks(finding):
        passed, kicked = gate([finding])
        [one] = [*passed, *kicked]
        return ([], [one]) if isinstance(one, dict) and "_kicked" in one else ([one], [])

    return await by_place(worker, specs, lambda findings: marks(findings[0]))


async def whole_findings_as_feedback(worker, specs, gate):
    async def told(spec, feedback):
        return await worker(spec, feedback and {"_kicked": feedback})

    return await by_place(told, specs, gate)


async def second_tries_in_a_row(worker, specs, gate):
    first = await asyncio.gather(*(safely(worker, spec, None) for spec in specs))
    boards = [([], [{"_kicked": e}]) if e else gate([f]) for f, e in first]
    for i, (good, bad) in enumerate(boards):
        if not good:
            finding, failure = await safely(worker, specs[i], bad[0]["_kicked"])
            boards[i] = ([], [{"_kicked": failure}]) if failure else gate([finding])
    return [f for b in boards for f in b[0]], [f for b in boards for f in b[1]]


async def all_specs_again(worker, specs, gate):
    first = await asyncio.gather(*(safely(worker, spec, None) for spec in specs))
    boards = [([], [{"_kicked": e}]) if e else gate([f]) for f, e in first]
    why = [bad[0]["_kicked"] if bad else None for _, bad in boards]
    again = await asyncio.gather(*(safely(worker, *pair) for pair in zip(specs, why, strict=True)))
    for i, (finding, failure) in enumerate(again):
        if why[i]:
            boards[i] = ([], [{"_kicked": failure}]) if failure else gate([finding])
    return [f for b in boards for f in b[0]], [f for b in boards for f in b[1]]


WRONG = [
    (kept_by_text, "only its place tells that one from its equal"),
    (kept_by_identity, "only its place tells that one from its equal"),
    (second_tries_kept_by_text, "only its place tells that one from its equal"),
    (kept_by_spec, "need be hashable"),
    (matched_by_id, "the spec it was dispatched for"),
    (takes_dicts_for_granted, "A finding may be anything at all"),
    (a_second_failure_sinks_all, "since this was its second try"),
    (in_one_group, "A worker raised"),
    (failures_through_the_gate, "as feedback"),
    (told_by_the_old_mark, "What has passed is not run again"),
    (whole_findings_as_feedback, "as feedback"),
    (second_tries_in_a_row, "all second tries do"),
    (all_specs_again, "What has passed is not run again"),
    (one_after_another, "all first tries run together"),
    (no_barrier, "behind a barrier"),
    (until_it_passes, "One revision and no more"),
    (revised_to_the_end, "in the order of `specs`"),
    (no_feedback, "as feedback"),
    (a_failure_sinks_all, "A worker raised"),
    (failures_not_revised, "exactly one more try"),
    (never_revises, "exactly one more try"),
    (by_name, "positional"),
    (swallows_the_cancel, "CancelledError"),
]
