"""4.5: the errors of a gate, both kinds."""

from collections import Counter

ID = "4.5"


def one_by_one(gate, labelled):
    score = {"false_accept": 0, "false_reject": 0}
    for finding, is_good in labelled:
        passed, kicked = gate([finding])
        if passed and not is_good:
            score["false_accept"] += 1
        elif kicked and is_good:
            score["false_reject"] += 1
    return score


def by_sums(gate, labelled):
    verdicts = [(len(gate([finding])[0]) == 1, is_good) for finding, is_good in labelled]
    return {
        "false_accept": sum(ok and not good for ok, good in verdicts),
        "false_reject": sum(good and not ok for ok, good in verdicts),
    }


def a_call_for_each_label(gate, labelled):
    good = [finding for finding, is_good in labelled if is_good]
    bad = [finding for finding, is_good in labelled if not is_good]
    return dict(false_accept=len(gate(bad)[0]), false_reject=len(gate(good)[1]))


def counted(gate, labelled):
    seen = Counter((bool(gate([f])[0]), good) for f, good in labelled)
    return {"false_accept": seen[True, False], "false_reject": seen[False, True]}


def passed_by_equality(gate, labelled):
    passed = gate([finding for finding, _ in labelled])[0]
    return {
        "false_accept": len([1 for f, good in labelled if not good and f in passed]),
        "false_reject": len([1 for f, good in labelled if good and f not in passed]),
    }


def by_difference(gate, labelled):
    good = [finding for finding, is_good in labelled if is_good]
    kept = len(gate(good)[0])
    everything = gate([finding for finding, _ in labelled])
    return {"false_reject": len(good) - kept, "false_accept": len(everything[0]) - kept}


RIGHT = [
    one_by_one,
    by_sums,
    a_call_for_each_label,
    counted,
    passed_by_equality,
    by_difference,
]


def swapped(gate, labelled):
    score = one_by_one(gate, labelled)
    return {"false_accept": score["false_reject"], "false_reject": score["false_accept"]}


def counts_verdicts(gate, labelled):
    passed, kicked = gate([finding for finding, _ in labelled])
    return {"false_accept": len(passed), "false_reject": len(kicked)}


def rates(gate, labelled):
    score = one_by_one(gate, labelled)
    return {name: count / max(len(labelled), 1) for name, count in score.items()}


def by_membership(gate, labelled):
    passed, _ = gate([finding for finding, _ in labelled])
    good = [finding for finding, is_good in labelled if is_good]
    bad = [finding for finding, is_good in labelled if not is_good]
    return {
        "false_accept": sum(f in passed and f not in good for f in bad),
        "false_reject": sum(f not in passed for f in good),
    }


def reads_the_old_mark(gate, labelled):
    score = {"false_accept": 0, "false_reject": 0}
    for finding, is_good in labelled:
        passed, kicked = gate([finding])
        out = any(isinstance(f, dict) and "_kicked" in f for f in [*passed, *kicked])
        score["false_accept"] += not out and not is_good
        score["false_reject"] += out and is_good
    return score


def calls_it_bare(gate, labelled):
    return {
        "false_accept": sum(bool(gate(f)[0]) and not good for f, good in labelled),
        "false_reject": sum(bool(gate(f)[1]) and good for f, good in labelled),
    }


def only_dicts(gate, labelled):
    return one_by_one(gate, [pair for pair in labelled if isinstance(pair[0], dict)])


def by_id(gate, labelled):
    label = {finding["id"]: is_good for finding, is_good in labelled}
    passed, kicked = gate([finding for finding, _ in labelled])
    return {
        "false_accept": sum(not label[f["id"]] for f in passed),
        "false_reject": sum(label[f["id"]] for f in kicked),
    }


def labels_by_text(gate, labelled):
    label = {repr(finding): is_good for finding, is_good in labelled}
    passed, _ = gate([finding for finding, _ in labelled])
    wrong = sum(not label[repr(f)] for f in passed)
    return {"false_accept": wrong, "false_reject": sum(label.values()) - len(passed) + wrong}


def in_the_order_given(gate, labelled):
    passed, _ = gate([finding for finding, _ in labelled])
    labels = [is_good for _, is_good in labelled]
    return {
        "false_accept": labels[: len(passed)].count(False),
        "false_reject": labels[len(passed) :].count(True),
    }


def every_mistake_is_both(gate, labelled):
    score = one_by_one(gate, labelled)
    total = sum(score.values())
    return {"false_accept": total, "false_reject": total}


def the_right_ones(gate, labelled):
    return one_by_one(gate, [(finding, not is_good) for finding, is_good in labelled])


def a_pair(gate, labelled):
    return tuple(one_by_one(gate, labelled).values())


def only_what_occurred(gate, labelled):
    return {name: count for name, count in one_by_one(gate, labelled).items() if count}


def true_or_false(gate, labelled):
    return {name: bool(count) for name, count in one_by_one(gate, labelled).items()}


def once_for_each_finding(gate, labelled):
    seen = []
    for pair in labelled:
        if pair not in seen:
            seen.append(pair)
    return one_by_one(gate, seen)


WRONG = [
    (by_id, "the label it stands beside"),
    (labels_by_text, "Equal findings"),
    (in_the_order_given, "Where the gate is right"),
    (every_mistake_is_both, "false accept"),
    (the_right_ones, "false accept"),
    (a_pair, "false accept"),
    (only_what_occurred, "false accept"),
    (true_or_false, "false accept"),
    (once_for_each_finding, "Equal findings"),
    (swapped, "changed places"),
    (counts_verdicts, "false accept"),
    (rates, "false accept"),
    (by_membership, "Equal findings"),
    (reads_the_old_mark, "from before says nothing"),
    (calls_it_bare, "false accept"),
    (only_dicts, "may be anything"),
]
