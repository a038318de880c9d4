"""4.1: complete findings pass; the rest goes back with a reason."""

import copy

ID = "4.1"
FIELDS = ("id", "topic", "claim", "evidence")


def is_missing(finding, name):
    value = finding.get(name)
    return value is None or (isinstance(value, str) and not value.strip())


def with_a_helper(findings, required=FIELDS):
    passed, kicked = [], []
    for finding in findings:
        if not isinstance(finding, dict):
            kicked.append({"_kicked": "not a finding"})
        elif missing := [name for name in required if is_missing(finding, name)]:
            kicked.append(finding | {"_kicked": "missing " + ",".join(missing)})
        else:
            passed.append(finding)
    return passed, kicked


def by_reasons(findings, required=FIELDS):
    def reason(finding):
        if type(finding) is not dict:
            return "not a finding"
        gone = [n for n in required if n not in finding or str(finding[n] or "x").isspace()
                or finding[n] in (None, "")]  # fmt: skip
        return f"missing {','.join(gone)}" if gone else None

    pairs = [(f, reason(f)) for f in findings]
    return (
        [f for f, why in pairs if why is None],
        [
            {**(f if isinstance(f, dict) else {}), "_kicked": why}
            for f, why in pairs
            if why is not None
        ],
    )


def with_match(findings, required=FIELDS):
    board = ([], [])
    for finding in copy.deepcopy(list(findings)):
        match finding:
            case dict():
                missing = ""
                for name in required:
                    match finding.get(name):
                        case None:
                            missing += "," + name
                        case str(text) if not text.strip():
                            missing += "," + name
                if missing:
                    finding["_kicked"] = "missing " + missing[1:]
                board[bool(missing)].append(finding)
            case _:
                board[1].append({"_kicked": "not a finding"})
    return board


def by_partition(findings, required=FIELDS):
    def judged(finding):
        if not isinstance(finding, dict):
            return {"_kicked": "not a finding"}
        gone = list(filter(lambda name: is_missing(finding, name), required))
        again = finding.copy()
        again.update(_kicked="missing " + ",".join(gone))
        return again if gone else None

    board = [(finding, judged(finding)) for finding in findings]
    return [f for f, out in board if out is None], [out for _, out in board if out is not None]


def by_exceptions(findings, required=FIELDS):
    kept, out = [], []
    for index in range(len(findings)):
        finding = findings[index]
        try:
            held = {name for name, value in dict.items(finding) if value is not None}
        except TypeError:
            out.append(dict(_kicked="not a finding"))
            continue
        blank = {n for n in held if type(finding[n]) is str and finding[n].split() == []}
        missing = [name for name in required if name not in held - blank]
        if not missing:
            kept.append(dict(finding))
        else:
            out.append({**finding, "_kicked": f"missing {str.join(',', missing)}"})
    return (kept, out)


RIGHT = [with_a_helper, by_reasons, with_match, by_partition, by_exceptions]


def by_truth(findings, required=FIELDS):
    passed, kicked = [], []
    for f in findings:
        if not isinstance(f, dict):
            kicked.append({"_kicked": "not a finding"})
            continue
        missing = [n for n in required if not f.get(n) or not str(f[n]).strip()]
        if missing:
            kicked.append({**f, "_kicked": "missing " + ",".join(missing)})
        else:
            passed.append(f)
    return passed, kicked


def writes_into_its_input(findings, required=FIELDS):
    passed, kicked = [], []
    for f in findings:
        if not isinstance(f, dict):
            kicked.append({"_kicked": "not a finding"})
            continue
        missing = [n for n in required if is_missing(f, n)]
        if missing:
            f["_kicked"] = "missing " + ",".join(missing)
            kicked.append(f)
        else:
            passed.append(f)
    return passed, kicked


def only_absent(findings, required=FIELDS):
    passed, kicked = [], []
    for f in findings:
        missing = [n for n in required if n not in f] if isinstance(f, dict) else []
        if not isinstance(f, dict):
            kicked.append({"_kicked": "not a finding"})
        elif missing:
            kicked.append({**f, "_kicked": "missing " + ",".join(missing)})
        else:
            passed.append(f)
    return passed, kicked


def blanks_pass(findings, required=FIELDS):
    passed, kicked = [], []
    for f in findings:
        if not isinstance(f, dict):
            kicked.append({"_kicked": "not a finding"})
        elif missing := [n for n in required if f.get(n) in (None, "")]:
            kicked.append({**f, "_kicked": "missing " + ",".join(missing)})
        else:
            passed.append(f)
    return passed, kicked


def trusts_the_kind(findings, required=FIELDS):
    passed, kicked = [], []
    for f in findings:
        missing = [n for n in required if is_missing(f, n)]
        (kicked if missing else passed).append(
            {**f, "_kicked": "missing " + ",".join(missing)} if missing else f
        )
    return passed, kicked


def joins_with_spaces(findings, required=FIELDS):
    passed, kicked = with_a_helper(findings, required)
    return passed, [{**f, "_kicked": f["_kicked"].replace(",", ", ")} for f in kicked]


def keeps_the_old_reason(findings, required=FIELDS):
    passed, kicked = [], []
    for f in findings:
        if not isinstance(f, dict):
            kicked.append({"_kicked": "not a finding"})
        elif missing := [n for n in required if is_missing(f, n)]:
            kicked.append({"_kicked": "missing " + ",".join(missing), **f})
        else:
            passed.append(f)
    return passed, kicked


def required_fixed(findings, required=FIELDS):
    return with_a_helper(findings)


def drops_twins(findings, required=FIELDS):
    passed, kicked = with_a_helper(findings, required)
    return [f for i, f in enumerate(passed) if f not in passed[:i]], kicked


def swapped(findings, required=FIELDS):
    return with_a_helper(findings, required)[::-1]


def _by(findings, required, missing, kicked=None, kind=lambda f: isinstance(f, dict)):
    passed, out = [], []
    for f in findings:
        if not kind(f):
            out.append({"_kicked": "not a finding"})
        elif gone := [n for n in required if missing(f, n)]:
            out.append(
                {**(f if kicked is None else kicked(f)), "_kicked": "missing " + ",".join(gone)}
            )
        else:
            passed.append(f)
    return passed, out


def falsy_is_missing(findings, required=FIELDS):
    return _by(findings, required, lambda f, n: not f.get(n))


def words_for_nothing(findings, required=FIELDS):
    return _by(findings, required, lambda f, n: str(f.get(n)).strip() in ("", "None"))


def blanks_and_tabs_only(findings, required=FIELDS):
    return _by(
        findings,
        required,
        lambda f, n: f.get(n) is None or (isinstance(f[n], str) and not f[n].strip(" \t\r\n")),
    )


def forgets_the_rest(findings, required=FIELDS):
    return _by(findings, required, is_missing, lambda f: {n: f[n] for n in required if n in f})


def makes_dicts(findings, required=FIELDS):
    def made(f):
        try:
            return dict(f)
        except (TypeError, ValueError):
            return f

    return _by([made(f) for f in findings], required, is_missing)


def only_the_first_missing(findings, required=FIELDS):
    passed, kicked = with_a_helper(findings, required)
    return passed, [{**f, "_kicked": f["_kicked"].split(",")[0]} for f in kicked]


def in_the_order_of_the_alphabet(findings, required=FIELDS):
    return with_a_helper(findings, sorted(required))


def drops_what_is_none(findings, required=FIELDS):
    return with_a_helper([f for f in findings if isinstance(f, dict)], required)


def keeps_what_it_was(findings, required=FIELDS):
    passed, kicked = [], []
    for f in findings:
        if not isinstance(f, dict):
            kicked.append({"_kicked": "not a finding", "finding": f})
        elif gone := [n for n in required if is_missing(f, n)]:
            kicked.append({**f, "_kicked": "missing " + ",".join(gone)})
        else:
            passed.append(f)
    return passed, kicked


def once_kicked_always_kicked(findings, required=FIELDS):
    passed, kicked = with_a_helper(findings, required)
    return [f for f in passed if "_kicked" not in f], kicked + [f for f in passed if "_kicked" in f]


def cleans_what_passes(findings, required=FIELDS):
    passed, kicked = with_a_helper(findings, required)
    return [{k: v for k, v in f.items() if k != "_kicked"} for f in passed], kicked


def tidies_the_names(findings, required=FIELDS):
    return _by(findings, required, lambda f, n: is_missing(f, n.strip().lower()))


WRONG = [
    (falsy_is_missing, "`0` and `False` are values"),
    (words_for_nothing, "any word at all is a value"),
    (blanks_and_tabs_only, "nothing but white space"),
    (forgets_the_rest, "are kept"),
    (makes_dicts, "What could be made into a dict"),
    (only_the_first_missing, "Every missing field is named"),
    (in_the_order_of_the_alphabet, "in the order of `required`"),
    (drops_what_is_none, "no dict at all"),
    (keeps_what_it_was, "no dict at all"),
    (once_kicked_always_kicked, "like any other"),
    (cleans_what_passes, "stays on what passes"),
    (tidies_the_names, "letter for letter"),
    (by_truth, "are values"),
    (writes_into_its_input, "changed what was passed in"),
    (only_absent, "None is missing"),
    (blanks_pass, "nothing but white space"),
    (trusts_the_kind, "no dict at all"),
    (joins_with_spaces, "without spaces"),
    (keeps_the_old_reason, "like any other"),
    (required_fixed, "`required` says"),
    (drops_twins, "Equal findings"),
    (swapped, "every required field passes"),
]
