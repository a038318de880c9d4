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


RIGHT = [with_a_helper, by_reasons, with_match]


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


WRONG = [
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
