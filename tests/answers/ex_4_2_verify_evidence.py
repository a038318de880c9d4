"""4.2: does the evidence stand?"""

import re

ID = "4.2"


def guards(finding, sources):
    evidence = finding.get("evidence")
    if not isinstance(evidence, str) or ":" not in evidence:
        return "no path:line"
    path, number = evidence.rsplit(":", 1)
    if not re.fullmatch("[0-9]+", number):
        return "no line number"
    lines = sources.get(path, "").splitlines()
    number = int(number)
    if number == 0 or number > len(lines):
        return "not there"
    line = lines[number - 1]
    if not line.strip():
        return "blank"
    if finding.get("quote") is not None and finding["quote"] not in line:
        return "says something else"
    return None


def one_pattern(finding, sources):
    match = re.fullmatch(r"(.*):([0-9]+)", str(finding.get("evidence")), re.DOTALL)
    if match and isinstance(finding["evidence"], str) and match[1] in sources:
        at = dict(enumerate(sources[match[1]].splitlines(), 1)).get(int(match[2]), "")
        if at.strip() and (finding.get("quote") or "") in at:
            return None
    return "it does not stand"


def by_exceptions(finding, sources):
    try:
        path, colon, number = finding["evidence"].rpartition(":")
        assert colon
        assert all(digit in "0123456789" for digit in number)
        assert int(number) >= 1
        line = sources[path].splitlines()[int(number) - 1]
        assert line.strip()
        quote = finding.get("quote")
        assert quote is None or quote in line
    except (KeyError, IndexError, ValueError, AttributeError, AssertionError) as error:
        return f"{type(error).__name__}: {error}"
    return None


RIGHT = [guards, one_pattern, by_exceptions]


def splits_at_the_first_colon(finding, sources):
    if not isinstance(finding.get("evidence"), str) or ":" not in finding["evidence"]:
        return "no"
    path, number = finding["evidence"].split(":", 1)
    return guards({**finding, "evidence": f"{path}:{number}"}, sources) if number.isdigit() else "x"


def counts_from_zero(finding, sources):
    try:
        path, _, number = finding["evidence"].rpartition(":")
        line = sources[path].splitlines()[int(number)]
    except Exception:
        return "no"
    return None if line.strip() and (finding.get("quote") or "") in line else "no"


def line_zero(finding, sources):
    try:
        path, _, number = finding["evidence"].rpartition(":")
        line = sources[path].splitlines()[int(number) - 1]
    except Exception:
        return "no"
    return None if line.strip() and (finding.get("quote") or "") in line else "no"


def any_integer(finding, sources):
    try:
        path, _, number = finding["evidence"].rpartition(":")
        assert int(number) > 0
        line = sources[path].splitlines()[int(number) - 1]
    except Exception:
        return "no"
    return None if line.strip() and (finding.get("quote") or "") in line else "no"


def blank_stands(finding, sources):
    return None if guards(finding, sources) == "blank" else guards(finding, sources)


def quote_anywhere(finding, sources):
    why = guards({**finding, "quote": None}, sources)
    text = "".join(sources.values())
    return why or (None if (finding.get("quote") or "") in text else "no")


def strips_the_line(finding, sources):
    why = guards({**finding, "quote": None}, sources)
    if why or finding.get("quote") is None:
        return why
    path, _, number = finding["evidence"].rpartition(":")
    line = sources[path].splitlines()[int(number) - 1].strip()
    return None if finding["quote"] in line else "no"


def splits_at_newlines(finding, sources):
    return guards(finding, {path: Text(text) for path, text in sources.items()})


class Text(str):
    def splitlines(self):
        return self.split("\n")


def raises_on_nonsense(finding, sources):
    number = finding["evidence"].rsplit(":", 1)[1]
    return guards(finding, sources) if number else None


def says_true(finding, sources):
    return guards(finding, sources) is None


WRONG = [
    (splits_at_the_first_colon, "may hold a colon"),
    (counts_from_zero, "the evidence stands"),
    (line_zero, "counted from 1"),
    (any_integer, "plain decimal digits"),
    (blank_stands, "it proves nothing"),
    (quote_anywhere, "that very line"),
    (strips_the_line, "compared unstripped"),
    (splits_at_newlines, "splitlines()"),
    (raises_on_nonsense, "never an exception"),
    (says_true, "the evidence stands"),
]
