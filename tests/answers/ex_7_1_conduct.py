"""7.1: the whole loop, from the batch to the report."""

import asyncio

from labkit.patterns import gather_bounded, revise_once, synthesize

ID = "7.1"


def refuse(specs, limit):
    if limit < 1:
        raise ValueError("limit")
    if len({spec["id"] for spec in specs}) < len(specs):
        raise ValueError("two specs share an id")


def bundle(passed, rejected):
    return {"passed": passed, "rejected": rejected, "report": synthesize(passed)}


async def cap_around_the_worker(worker, specs, *, gate, limit):
    refuse(specs, limit)
    slots = asyncio.Semaphore(limit)

    async def capped(spec, feedback):
        async with slots:
            return await worker(spec, feedback)

    return bundle(*await revise_once(capped, specs, gate))


async def two_bounded_rounds(worker, specs, *, gate, limit):
    refuse(specs, limit)

    async def attempt(job):
        place, feedback = job
        try:
            finding = await worker(specs[place], feedback)
        except Exception as error:
            return place, False, {"_kicked": f"failed: {error}"}
        good, bad = gate([finding])
        return place, bool(good), (good or bad)[0]

    board = await gather_bounded(attempt, [(i, None) for i in range(len(specs))], limit=limit)
    again = [(i, found["_kicked"]) for i, good, found in board if not good]
    for outcome in await gather_bounded(attempt, again, limit=limit):
        board[outcome[0]] = outcome
    return bundle([f for _, good, f in board if good], [f for _, good, f in board if not good])


class Fleet:
    """A pool of long-lived workers over a queue, for each round."""

    def __init__(self, worker, limit):
        self.worker, self.limit = worker, limit

    async def round(self, jobs):
        queue, done = list(reversed(jobs)), {}

        async def pull():
            while queue:
                place, spec, feedback = queue.pop()
                try:
                    done[place] = (True, await self.worker(spec, feedback))
                except Exception as error:
                    done[place] = (False, str(error))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.limit, len(jobs))):
                group.create_task(pull())
        return done


async def a_pool_and_a_gate_for_all(worker, specs, *, gate, limit):
    seen = []
    for spec in specs:
        if spec["id"] in seen:
            raise ValueError(spec)
        seen.append(spec["id"])
    if limit <= 0:
        raise ValueError(limit)
    fleet = Fleet(worker, limit)
    passed, kicked = {}, {}
    jobs = [(place, spec, None) for place, spec in enumerate(specs)]
    for _ in range(2):
        done = await fleet.round(jobs)
        for place, (came, finding) in done.items():
            kicked.pop(place, None)
            good, bad = gate([finding]) if came else ([], [{"_kicked": f"failed: {finding}"}])
            if good:
                passed[place] = good[0]
            else:
                kicked[place] = bad[0]
        jobs = [(place, specs[place], kicked[place]["_kicked"]) for place in sorted(kicked)]
    return dict(
        report=synthesize(tuple(passed.values())),
        rejected=tuple(kicked[place] for place in sorted(kicked)),
        passed=tuple(passed[place] for place in sorted(passed)),
    )


async def an_empty_finding_for_each_failure(worker, specs, *, gate, limit):
    refuse(specs, limit)
    board = {}
    jobs = [(place, None) for place in range(len(specs))]
    for _ in range(2):

        async def attempt(job):
            try:
                return await worker(specs[job[0]], job[1]), None
            except Exception as error:
                return {}, {"_kicked": f"failed: {error}"}

        for (place, _), (finding, failed) in zip(
            jobs, await gather_bounded(attempt, jobs, limit=limit), strict=True
        ):
            good, bad = gate([finding])
            board[place] = (good, [failed] if failed else bad)
        jobs = [(place, bad[0]["_kicked"]) for place, (_, bad) in board.items() if bad]
    return bundle(
        [f for place in sorted(board) for f in board[place][0]],
        [f for place in sorted(board) for f in board[place][1]],
    )


RIGHT = [
    cap_around_the_worker,
    two_bounded_rounds,
    a_pool_and_a_gate_for_all,
    an_empty_finding_for_each_failure,
]


async def no_cap(worker, specs, *, gate, limit):
    refuse(specs, limit)
    return bundle(*await revise_once(worker, specs, gate))


async def no_cap_on_the_revision(worker, specs, *, gate, limit):
    refuse(specs, limit)
    slots = asyncio.Semaphore(limit)

    async def capped(spec, feedback):
        if feedback is not None:
            return await worker(spec, feedback)
        async with slots:
            return await worker(spec, feedback)

    return bundle(*await revise_once(capped, specs, gate))


async def batch_by_batch(worker, specs, *, gate, limit):
    refuse(specs, limit)
    passed, rejected = [], []
    for start in range(0, len(specs), limit):
        good, bad = await revise_once(worker, specs[start : start + limit], gate)
        passed += good
        rejected += bad
    return bundle(passed, rejected)


async def revises_one_by_one(worker, specs, *, gate, limit):
    refuse(specs, limit)
    slots, alone = asyncio.Semaphore(limit), asyncio.Lock()

    async def capped(spec, feedback):
        async with slots if feedback is None else alone:
            return await worker(spec, feedback)

    return bundle(*await revise_once(capped, specs, gate))


async def accepts_any_batch(worker, specs, *, gate, limit):
    slots = asyncio.Semaphore(limit) if limit > 0 else refuse([], limit)

    async def capped(spec, feedback):
        async with slots:
            return await worker(spec, feedback)

    return bundle(*await revise_once(capped, specs, gate))


async def keeps_one_of_each_id(worker, specs, *, gate, limit):
    once = list({spec["id"]: spec for spec in specs}.values())
    return await cap_around_the_worker(worker, once, gate=gate, limit=limit)


async def refuses_afterwards(worker, specs, *, gate, limit):
    done = await accepts_any_batch(worker, specs, gate=gate, limit=limit)
    refuse(specs, limit)
    return done


async def a_limit_of_none_is_no_limit(worker, specs, *, gate, limit):
    refuse(specs, 1)
    return await cap_around_the_worker(worker, specs, gate=gate, limit=max(limit, 1))


async def a_failure_sinks_all(worker, specs, *, gate, limit):
    refuse(specs, limit)
    findings = await gather_bounded(lambda spec: worker(spec, None), specs, limit=limit)
    passed, kicked = gate(findings)
    return bundle(passed, kicked)


async def never_revises(worker, specs, *, gate, limit):
    refuse(specs, limit)

    async def safely(spec):
        try:
            good, bad = gate([await worker(spec, None)])
        except Exception as error:
            good, bad = [], [{"_kicked": f"failed: {error}"}]
        return good, bad

    board = await gather_bounded(safely, specs, limit=limit)
    return bundle([f for good, _ in board for f in good], [f for _, bad in board for f in bad])


async def in_the_order_of_ids(worker, specs, *, gate, limit):
    done = await cap_around_the_worker(worker, specs, gate=gate, limit=limit)
    return {**done, "passed": sorted(done["passed"], key=lambda f: f["id"])}


async def by_the_finding_s_own_id(worker, specs, *, gate, limit):
    done = await cap_around_the_worker(worker, specs, gate=gate, limit=limit)
    by_id = {finding["id"]: finding for finding in done["passed"]}
    return {**done, "passed": [by_id[s["id"]] for s in specs if s["id"] in by_id]}


async def reports_everything(worker, specs, *, gate, limit):
    done = await cap_around_the_worker(worker, specs, gate=gate, limit=limit)
    lines = [f"- {f['claim']} [{f['evidence']}]" for f in done["passed"]]
    return {**done, "report": "\n".join(["FLEET REPORT", *lines])}


async def a_tuple(worker, specs, *, gate, limit):
    return tuple((await cap_around_the_worker(worker, specs, gate=gate, limit=limit)).values())


async def swallows_the_cancel(worker, specs, *, gate, limit):
    try:
        return await cap_around_the_worker(worker, specs, gate=gate, limit=limit)
    except asyncio.CancelledError:
        return bundle([], [])


def _through(worker, change):
    async def changed(spec, feedback):
        return change(await worker(spec, feedback), spec)

    return changed


async def stamps_the_spec_s_id(worker, specs, *, gate, limit):
    def stamp(finding, spec):
        return {**finding, "id": spec["id"]} if isinstance(finding, dict) else finding

    return await cap_around_the_worker(_through(worker, stamp), specs, gate=gate, limit=limit)


async def copies_whatever_comes(worker, specs, *, gate, limit):
    def copied(finding, spec):
        return dict(finding)

    return await cap_around_the_worker(_through(worker, copied), specs, gate=gate, limit=limit)


async def copies_in_front_of_the_gate(worker, specs, *, gate, limit):
    def doubt(findings):
        return gate([{**finding} for finding in findings])

    return await cap_around_the_worker(worker, specs, gate=doubt, limit=limit)


async def a_semaphore_of_none(worker, specs, *, gate, limit):
    refuse(specs, 1)
    slots = asyncio.Semaphore(max(limit, 0))

    async def capped(spec, feedback):
        async with slots:
            return await worker(spec, feedback)

    return bundle(*await revise_once(capped, specs, gate))


async def reports_what_was_rejected(worker, specs, *, gate, limit):
    done = await cap_around_the_worker(worker, specs, gate=gate, limit=limit)
    return {**done, "report": synthesize(done["passed"] + done["rejected"])}


WRONG = [
    (stamps_the_spec_s_id, "reached the gate altered"),
    (copies_whatever_comes, "anything at all, None too"),
    (copies_in_front_of_the_gate, "anything at all, None too"),
    (a_semaphore_of_none, "`limit` is 0"),
    (reports_what_was_rejected, "Only what passed goes to `synthesize`"),
    (no_cap, "at most"),
    (no_cap_on_the_revision, "in the revision alike"),
    (batch_by_batch, "before any is tried again"),
    (revises_one_by_one, "second tries fill"),
    (accepts_any_batch, "share an id"),
    (keeps_one_of_each_id, "share an id"),
    (refuses_afterwards, "look at the batch before you spend"),
    (a_limit_of_none_is_no_limit, "`limit` is 0"),
    (a_failure_sinks_all, "exactly one more try"),
    (never_revises, "exactly one more try"),
    (in_the_order_of_ids, "in the order of `specs`"),
    (by_the_finding_s_own_id, "in the order of `specs`"),
    (reports_everything, "by ascending id"),
    (a_tuple, "a dict with `passed`"),
    (swallows_the_cancel, "CancelledError"),
]
