"""8.1: runs first, then groups; full before the next begins."""

import itertools

ID = "8.1"


def slices(specs, *, at_once=7, per_run=40):
    if at_once < 1 or per_run < 1:
        raise ValueError("a cap is 1 or more")
    return [
        [
            specs[start : min(start + at_once, first + per_run)]
            for start in range(first, min(first + per_run, len(specs)), at_once)
        ]
        for first in range(0, len(specs), per_run)
    ]


def one_by_one(specs, *, at_once=7, per_run=40):
    if min(at_once, per_run) <= 0:
        raise ValueError(f"{at_once}, {per_run}")
    runs = []
    for place, spec in enumerate(specs):
        within = place % per_run
        if within == 0:
            runs.append([])
        if within % at_once == 0:
            runs[-1].append([])
        runs[-1][-1].append(spec)
    return runs


def iterators(specs, *, at_once=7, per_run=40):
    def cut(items, size):
        if size < 1:
            raise ValueError(size)
        rest = iter(items)
        return iter(lambda: tuple(itertools.islice(rest, size)), ())

    cut([], at_once)
    return tuple(tuple(cut(run, at_once)) for run in cut(specs, per_run))


def with_a_queue(specs, *, at_once=7, per_run=40):
    for cap in (at_once, per_run):
        if not cap > 0:
            raise ValueError("cap")
    waiting, runs = list(specs), []
    while waiting:
        run, waiting = waiting[:per_run], waiting[per_run:]
        groups = []
        while run:
            groups.append(run[:at_once])
            del run[:at_once]
        runs.append(groups)
    return runs


RIGHT = [slices, one_by_one, iterators, with_a_queue]


def _cut(items, size):
    return [items[start : start + size] for start in range(0, len(items), size)]


def _checked(at_once, per_run):
    if at_once < 1 or per_run < 1:
        raise ValueError("cap")


def groups_first(specs, *, at_once=7, per_run=40):
    _checked(at_once, per_run)
    groups = _cut(specs, at_once)
    return _cut(groups, max(1, per_run // at_once))


def counts_groups(specs, *, at_once=7, per_run=40):
    _checked(at_once, per_run)
    return _cut(_cut(specs, at_once), per_run)


def no_groups(specs, *, at_once=7, per_run=40):
    _checked(at_once, per_run)
    return _cut(specs, min(at_once, per_run))


def loses_the_rest(specs, *, at_once=7, per_run=40):
    _checked(at_once, per_run)
    runs = zip(*[iter(specs)] * per_run, strict=False)
    return [_cut(list(run), at_once) for run in runs]


def striped(specs, *, at_once=7, per_run=40):
    _checked(at_once, per_run)
    runs = []
    for run in _cut(specs, per_run):
        groups = -(-len(run) // at_once)
        runs.append([run[first::groups] for first in range(groups)])
    return runs


def evenly(specs, *, at_once=7, per_run=40):
    _checked(at_once, per_run)
    runs = []
    for run in _cut(specs, per_run):
        groups = -(-len(run) // at_once)
        size = -(-len(run) // groups)
        runs.append(_cut(run, size))
    return runs


def one_empty_run(specs, *, at_once=7, per_run=40):
    _checked(at_once, per_run)
    return [_cut(run, at_once) for run in _cut(specs, per_run) or [[]]]


def without_repeats(specs, *, at_once=7, per_run=40):
    _checked(at_once, per_run)
    once = []
    for spec in specs:
        if spec not in once:
            once.append(spec)
    return [_cut(run, at_once) for run in _cut(once, per_run)]


def drops_falsy(specs, *, at_once=7, per_run=40):
    _checked(at_once, per_run)
    return [_cut(run, at_once) for run in _cut([s for s in specs if s], per_run)]


def unchecked(specs, *, at_once=7, per_run=40):
    return [_cut(run, max(1, at_once)) for run in _cut(specs, max(1, per_run))]


def checked_when_there_is_something(specs, *, at_once=7, per_run=40):
    if not specs:
        return []
    return slices(specs, at_once=at_once, per_run=per_run)


def checks_one_cap(specs, *, at_once=7, per_run=40):
    if at_once < 1:
        raise ValueError("at_once")
    return [_cut(run, at_once) for run in _cut(specs, max(1, per_run))]


def other_defaults(specs, *, at_once=10, per_run=50):
    return slices(specs, at_once=at_once, per_run=per_run)


def empties_its_input(specs, *, at_once=7, per_run=40):
    _checked(at_once, per_run)
    runs = []
    while specs:
        run = [specs.pop(0) for _ in range(min(per_run, len(specs)))]
        runs.append(_cut(run, at_once))
    return runs


def refuses_a_group_larger_than_a_run(specs, *, at_once=7, per_run=40):
    _checked(at_once, per_run)
    if at_once > per_run:
        raise ValueError("a group does not fit into a run")
    return slices(specs, at_once=at_once, per_run=per_run)


def takes_specs_for_keys(specs, *, at_once=7, per_run=40):
    return slices(list(dict.fromkeys(specs)), at_once=at_once, per_run=per_run)


WRONG = [
    (groups_first, "full before the next begins"),
    (counts_groups, "the cap counts specs, not groups"),
    (no_groups, "a list of runs; each run is a list of groups"),
    (loses_the_rest, "nothing is lost or repeated"),
    (striped, "stay in the order they came in"),
    (evenly, "full before the next begins"),
    (one_empty_run, "No run and no group is empty"),
    (without_repeats, "nothing is lost or repeated"),
    (drops_falsy, "nothing is lost or repeated"),
    (unchecked, "is under 1"),
    (checked_when_there_is_something, "for an empty list too"),
    (checks_one_cap, "per_run=0 is under 1"),
    (other_defaults, "A group holds at most `at_once` specs"),
    (empties_its_input, "changed what was passed in"),
    (refuses_a_group_larger_than_a_run, "Only a cap under 1 is an error"),
    (takes_specs_for_keys, "no set and no dict takes for a key"),
]
