"""6.5: the pattern that fits, the first rule that applies."""

ID = "6.5"


def rule_by_rule(job):
    tasks = job["tasks"]
    if len(tasks) == 1 and not job["alternatives"]:
        return "routing"
    if any(task["needs"] for task in tasks):
        return "plan-then-execute"
    if job["alternatives"]:
        if job["checkable"] and job["cancellable"]:
            return "race-then-cancel"
        return "sequential"
    if job["merge"] == "none":
        return "parallel-spawn"
    if job["merge"] == "schema" and all(task["structured"] for task in tasks):
        return "gather-then-merge"
    return "sequential"


def a_table(job):
    tasks, tries = job["tasks"], job["alternatives"]
    structured = all(task["structured"] for task in tasks)
    rules = [
        (len(tasks) == 1 and not tries, "routing"),
        (any(task["needs"] for task in tasks), "plan-then-execute"),
        (tries and job["checkable"] and job["cancellable"], "race-then-cancel"),
        (tries, "sequential"),
        (job["merge"] == "none", "parallel-spawn"),
        (job["merge"] == "schema" and structured, "gather-then-merge"),
    ]
    return next((name for applies, name in rules if applies), "sequential")


def by_matching(job):
    loose = sum(not task["structured"] for task in job["tasks"])
    depends = bool(sum(len(task["needs"]) for task in job["tasks"]))
    match (len(job["tasks"]), depends, job["alternatives"], job["merge"]):
        case (1, _, False, _):
            return "routing"
        case (_, True, _, _):
            return "plan-then-execute"
        case (_, _, True, _):
            good = job["checkable"] and job["cancellable"]
            return "race-then-cancel" if good else "sequential"
        case (_, _, _, "none"):
            return "parallel-spawn"
        case (_, _, _, "schema") if not loose:
            return "gather-then-merge"
    return "sequential"


def needs_within_the_job(job):
    names = {task["name"] for task in job["tasks"]}
    tasks = [{**task, "needs": names.intersection(task["needs"])} for task in job["tasks"]]
    return rule_by_rule({**job, "tasks": tasks})


RIGHT = [rule_by_rule, a_table, by_matching, needs_within_the_job]


def a_single_try_is_routing(job):
    return "routing" if len(job["tasks"]) == 1 else rule_by_rule(job)


def tries_before_needs(job):
    if job["alternatives"] and job["checkable"] and job["cancellable"]:
        return "race-then-cancel"
    return rule_by_rule(job)


def either_will_do(job):
    if job["alternatives"] and (job["checkable"] or job["cancellable"]):
        free = not any(task["needs"] for task in job["tasks"])
        return "race-then-cancel" if free else "plan-then-execute"
    return rule_by_rule(job)


def tries_that_lost_are_spawned(job):
    if rule_by_rule(job) != "race-then-cancel":
        return rule_by_rule({**job, "alternatives": False})
    return "race-then-cancel"


def races_whatever_can_be_cancelled(job):
    if len(job["tasks"]) > 1 and job["checkable"] and job["cancellable"]:
        return rule_by_rule({**job, "alternatives": True})
    return rule_by_rule(job)


def a_schema_is_enough(job):
    if rule_by_rule(job) == "sequential" and job["merge"] == "schema" and not job["alternatives"]:
        return "gather-then-merge"
    return rule_by_rule(job)


def freeform_is_merged_too(job):
    return rule_by_rule({**job, "merge": job["merge"].replace("freeform", "schema")})


def spawn_wants_structure(job):
    found = rule_by_rule(job)
    structured = all(task["structured"] for task in job["tasks"])
    return "sequential" if found == "parallel-spawn" and not structured else found


def only_the_first_task(job):
    first = job["tasks"][0]["needs"]
    loose = [{**task, "needs": first} for task in job["tasks"]]
    return rule_by_rule({**job, "tasks": loose})


def asks_the_preflight(job):
    small = any(task["tokens"] < 5_000 for task in job["tasks"])
    return "sequential" if small else rule_by_rule(job)


def needs_before_a_single_task(job):
    needs = any(task["needs"] for task in job["tasks"])
    return "plan-then-execute" if needs else rule_by_rule(job)


def in_capitals(job):
    return rule_by_rule(job).upper()


def says_nothing(job):
    found = rule_by_rule(job)
    return None if found == "sequential" else found


WRONG = [
    (a_single_try_is_routing, "different tries at one goal, however many"),
    (needs_before_a_single_task, "`routing`: a single task, and no alternatives"),
    (tries_before_needs, "`plan-then-execute`: some task needs another"),
    (either_will_do, "These are not cancellable"),
    (tries_that_lost_are_spawned, "no later rule is asked"),
    (races_whatever_can_be_cancelled, "nothing to merge"),
    (a_schema_is_enough, "some output is not structured"),
    (freeform_is_merged_too, "a freeform merge is neither"),
    (spawn_wants_structure, "structured or not"),
    (only_the_first_task, "some task needs another"),
    (asks_the_preflight, "nothing to merge"),
    (in_capitals, "It returns one of"),
    (says_nothing, "It returns one of"),
]
