"""6.1: what speaks against fanning out."""

ID = "6.1"


def one_by_one(job, *, min_tokens=5_000):
    against = []
    tasks = job["tasks"]
    if any(task["needs"] for task in tasks):
        against.append("dependent")
    if any(not task["structured"] for task in tasks):
        against.append("unstructured")
    if any(task["tokens"] < min_tokens for task in tasks):
        against.append("small")
    seconds = [task["seconds"] for task in tasks]
    if job["merge_seconds"] >= sum(seconds) - max(seconds):
        against.append("merge")
    return against


def in_a_loop(job, *, min_tokens=5_000):
    total = longest = 0
    found = set()
    for task in job["tasks"]:
        total += task["seconds"]
        longest = max(longest, task["seconds"])
        if len(task["needs"]) > 0:
            found.add("dependent")
        if task["structured"] is False:
            found.add("unstructured")
        if task["tokens"] < min_tokens:
            found.add("small")
    if not job["merge_seconds"] < total - longest:
        found.add("merge")
    return [name for name in ("dependent", "unstructured", "small", "merge") if name in found]


def by_generator(job, *, min_tokens=5_000):
    def reasons():
        ordered = sorted(job["tasks"], key=lambda task: task["seconds"])
        if [need for task in ordered for need in task["needs"]]:
            yield "dependent"
        if {task["structured"] for task in ordered} != {True}:
            yield "unstructured"
        if min(task["tokens"] for task in ordered) < min_tokens:
            yield "small"
        if sum(task["seconds"] for task in ordered[:-1]) <= job["merge_seconds"]:
            yield "merge"

    return tuple(reasons())


def needs_within_the_job(job, *, min_tokens=5_000):
    names = {task["name"] for task in job["tasks"]}
    tasks = [{**task, "needs": names.intersection(task["needs"])} for task in job["tasks"]]
    return one_by_one({**job, "tasks": tasks}, min_tokens=min_tokens)


RIGHT = [one_by_one, in_a_loop, by_generator, needs_within_the_job]


def _but(job, min_tokens, *, dependent=any, unstructured=any, small=any, merge=None, order=None):
    tasks = job["tasks"]
    seconds = [task["seconds"] for task in tasks]
    saved = sum(seconds) - max(seconds)
    against = {
        "dependent": dependent(bool(task["needs"]) for task in tasks),
        "unstructured": unstructured(not task["structured"] for task in tasks),
        "small": small(task["tokens"] < min_tokens for task in tasks),
        "merge": merge(seconds) if merge else job["merge_seconds"] >= saved,
    }
    return [name for name in order or against if against[name]]


def all_of_them(job, *, min_tokens=5_000):
    return _but(job, min_tokens, unstructured=all)


def the_first_alone(job, *, min_tokens=5_000):
    return _but(job, min_tokens, dependent=lambda those: next(iter(those)))


def the_average(job, *, min_tokens=5_000):
    tokens = [task["tokens"] for task in job["tasks"]]
    return _but(job, min_tokens, small=lambda _: sum(tokens) / len(tokens) < min_tokens)


def exactly_is_small(job, *, min_tokens=5_000):
    return _but(job, min_tokens + 1)


def never_asked(job, *, min_tokens=5_000):
    return _but(job, 5_000)


def merge_against_the_total(job, *, min_tokens=5_000):
    return _but(job, min_tokens, merge=lambda seconds: job["merge_seconds"] >= sum(seconds))


def merge_against_the_longest(job, *, min_tokens=5_000):
    return _but(job, min_tokens, merge=lambda seconds: job["merge_seconds"] >= max(seconds))


def an_equal_merge_is_well(job, *, min_tokens=5_000):
    return _but(
        job, min_tokens, merge=lambda seconds: job["merge_seconds"] > sum(seconds) - max(seconds)
    )


def only_the_first_reason(job, *, min_tokens=5_000):
    return one_by_one(job, min_tokens=min_tokens)[:1]


def each_task_for_itself(job, *, min_tokens=5_000):
    """Says a reason once for each task for which it holds."""
    found = one_by_one(job, min_tokens=min_tokens)
    small = sum(task["tokens"] < min_tokens for task in job["tasks"])
    loose = sum(not task["structured"] for task in job["tasks"])
    depends = sum(bool(task["needs"]) for task in job["tasks"])
    times = {"dependent": depends, "unstructured": loose, "small": small, "merge": 1}
    return [reason for reason in found for _ in range(times[reason])]


def by_the_alphabet(job, *, min_tokens=5_000):
    return sorted(one_by_one(job, min_tokens=min_tokens))


def none_for_go(job, *, min_tokens=5_000):
    return one_by_one(job, min_tokens=min_tokens) or None


def yes_or_no(job, *, min_tokens=5_000):
    return not one_by_one(job, min_tokens=min_tokens)


def takes_the_needs_away(job, *, min_tokens=5_000):
    against = one_by_one(job, min_tokens=min_tokens)
    for task in job["tasks"]:
        task.pop("needs")
    return against


def rounds_the_merge_up(job, *, min_tokens=5_000):
    against = one_by_one(job, min_tokens=min_tokens)
    job["merge_seconds"] += 0.25
    return against


WRONG = [
    (all_of_them, "some output is not structured"),
    (the_first_alone, "some task needs another"),
    (the_average, "some task is under"),
    (exactly_is_small, "Exactly `min_tokens` is not under it.\nHere it does not hold:"),
    (never_asked, "some task is under"),
    (merge_against_the_total, "The time saved is the sum"),
    (merge_against_the_longest, "The time saved is the sum"),
    (an_equal_merge_is_well, "as long as the time saved, or longer"),
    (only_the_first_reason, "Every reason that holds is returned, not only the first"),
    (each_task_for_itself, "Here it holds, and is said once"),
    (by_the_alphabet, "in another order"),
    (none_for_go, "empty where nothing does"),
    (yes_or_no, "It returns a list"),
    (takes_the_needs_away, "changed what was passed in"),
    (rounds_the_merge_up, "Changed: `['merge_seconds']`"),
]
