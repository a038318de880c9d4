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


RIGHT = [one_by_one, by_sums, a_call_for_each_label, counted]


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


WRONG = [
    (swapped, "changed places"),
    (counts_verdicts, "false accept"),
    (rates, "false accept"),
    (by_membership, "Equal findings"),
    (reads_the_old_mark, "from before says nothing"),
    (calls_it_bare, "false accept"),
    (only_dicts, "may be anything"),
]
