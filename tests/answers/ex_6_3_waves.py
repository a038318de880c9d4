"""6.3: what may start at once, and what after that."""

from graphlib import CycleError, TopologicalSorter

ID = "6.3"


def round_by_round(needs):
    found, done = [], set()
    while len(done) < len(needs):
        wave = [t for t in needs if t not in done and all(need in done for need in needs[t])]
        if not wave:
            raise ValueError("a circle, or a need that is no task")
        found.append(wave)
        done.update(wave)
    return found


def by_depth(needs):
    depth = {}

    def find(task, above=()):
        if task not in needs or task in above:
            raise ValueError(task)
        if task not in depth:
            depth[task] = max((find(need, (*above, task)) + 1 for need in needs[task]), default=0)
        return depth[task]

    found = [[] for _ in {find(task) for task in needs}]
    for task in needs:
        found[depth[task]].append(task)
    return found


def with_graphlib(needs):
    sorter = TopologicalSorter(needs)
    for those in needs.values():
        if not needs.keys() >= set(those):
            raise ValueError("a need is no task")
    try:
        sorter.prepare()
    except CycleError as circle:
        raise ValueError("a circle") from circle
    found = []
    while sorter.is_active():
        ready = set(sorter.get_ready())
        sorter.done(*ready)
        found.append(tuple(task for task in needs if task in ready))
    return tuple(found)


def by_counting(needs):
    left = {task: len(those) for task, those in needs.items()}
    users = {task: [] for task in needs}
    for task, those in needs.items():
        for need in those:
            if need not in users:
                raise ValueError(f"{need} is no task")
            users[need].append(task)
    order, found = list(needs), []
    wave = [task for task in order if left[task] == 0]
    while wave:
        found.append(wave)
        freed = set()
        for task in wave:
            for user in users[task]:
                left[user] -= 1
                if left[user] == 0:
                    freed.add(user)
        wave = sorted(freed, key=order.index)
    if sum(map(len, found)) < len(needs):
        raise ValueError("a circle")
    return found


RIGHT = [round_by_round, by_depth, with_graphlib, by_counting]


def marks_while_it_looks(needs):
    found, done = [], set()
    while len(done) < len(needs):
        wave = []
        for task in needs:
            if task not in done and all(need in done for need in needs[task]):
                wave.append(task)
                done.add(task)
        if not wave:
            raise ValueError("stuck")
        found.append(wave)
    return found


def one_a_wave(needs):
    return [[task] for wave in round_by_round(needs) for task in wave]


def as_they_become_ready(needs):
    """Kahn's queue: right waves, in the order in which their needs were met."""
    waves = round_by_round(needs)
    return [wave[::-1] for wave in waves]


def sets_for_waves(needs):
    return [set(wave) for wave in round_by_round(needs)]


def flat(needs):
    return [task for wave in round_by_round(needs) for task in wave]


def gives_up_quietly(needs):
    found, done = [], set()
    while len(done) < len(needs):
        wave = [t for t in needs if t not in done and all(need in done for need in needs[t])]
        if not wave:
            break
        found.append(wave)
        done.update(wave)
    return found


def strangers_count_as_done(needs):
    known = {task: [need for need in those if need in needs] for task, those in needs.items()}
    return round_by_round(known)


def strangers_are_tasks(needs):
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    order, found = list(needs), []
    while sorter.is_active():
        ready = sorter.get_ready()
        sorter.done(*ready)
        found.append(sorted(ready, key=lambda task: order.index(task) if task in order else -1))
    return found


def recurses_for_ever(needs):
    def depth(task):
        return max((depth(need) + 1 for need in needs[task]), default=0)

    depths = {task: depth(task) for task in needs}
    return [
        [t for t in needs if depths[t] == n] for n in range(max(depths.values(), default=-1) + 1)
    ]


def crosses_out(needs):
    found = []
    while needs:
        wave = [task for task, those in needs.items() if not those]
        if not wave:
            raise ValueError("stuck")
        found.append(wave)
        for task in wave:
            del needs[task]
        for those in needs.values():
            those[:] = [need for need in those if need not in wave]
    return found


def a_key_error(needs):
    done, found = dict.fromkeys(needs, False), []
    while not all(done.values()):
        wave = [task for task in needs if not done[task] and all(done[n] for n in needs[task])]
        if not wave:
            raise ValueError("a circle")
        done.update(dict.fromkeys(wave, True))
        found.append(wave)
    return found


def a_need_stands_before(needs):
    """Takes a task that stands before what it needs for a circle."""
    known = set()
    for task, those in needs.items():
        if not known.issuperset(those):
            raise ValueError(task)
        known.add(task)
    return round_by_round(needs)


def a_wave_for_nothing(needs):
    return round_by_round(needs) or [[]]


WRONG = [
    (marks_while_it_looks, "decide on the whole wave"),
    (one_a_wave, "is late"),
    (as_they_become_ready, "the mapping's order"),
    (sets_for_waves, "each of them a list"),
    (flat, "It returns a list of waves"),
    (gives_up_quietly, "raises a ValueError"),
    (strangers_count_as_done, "no task of the mapping"),
    (strangers_are_tasks, "no task of the mapping"),
    (recurses_for_ever, "raises a ValueError"),
    (crosses_out, "changed what was passed in"),
    (a_key_error, "no task of the mapping"),
    (a_need_stands_before, "It raised an exception"),
    (a_wave_for_nothing, "Without tasks there are no waves"),
]
