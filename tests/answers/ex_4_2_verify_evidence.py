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


def counting_down(finding, sources):
    where = finding.get("evidence", None)
    if type(where) is not str:
        return f"evidence is a {type(where).__name__}"
    *path, line = where.split(":")
    if not path or not line or set(line) - set("0123456789"):
        return "write path:line"
    try:
        text = sources[":".join(path)]
    except KeyError:
        return "no such file"
    left = int(line)
    for found in text.splitlines():
        left -= 1
        if left == 0:
            wanted = finding.get("quote")
            if found.isspace() or found == "":
                return "nothing there"
            return None if wanted is None or found.find(wanted) >= 0 else "misquoted"
    return "no such line"


def digits_by_length(finding, sources):
    evidence = finding.get("evidence")
    if not isinstance(evidence, str):
        return "none"
    path, _, digits = evidence.rpartition(":")
    if path not in sources or not re.fullmatch(r"\d+", digits, re.ASCII):
        return "not found"
    lines = [None, *sources[path].splitlines()]
    if len(digits.lstrip("0")) > 9 or not 0 < int(digits) < len(lines):
        return "out of range"
    line, quote = lines[int(digits)], finding.get("quote")
    stands = line.strip() and (quote is None or quote in line)
    return None if stands else f"{evidence} says {line!r}"


RIGHT = [guards, one_pattern, by_exceptions, counting_down, digits_by_length]


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


def dollar_sign(finding, sources):
    match = re.match(r"(.*):([0-9]+)$", str(finding.get("evidence")), re.DOTALL)
    if match is None or not isinstance(finding["evidence"], str):
        return "not path:line"
    return guards({**finding, "evidence": f"{match[1]}:{match[2]}"}, sources)


def paths_of_one_line(finding, sources):
    match = re.fullmatch(r"(.*):([0-9]+)", str(finding.get("evidence")))
    return guards(finding, sources) if match else "not path:line"


def strips_the_evidence(finding, sources):
    evidence = finding.get("evidence")
    if not isinstance(evidence, str):
        return "no evidence"
    return guards({**finding, "evidence": evidence.strip()}, sources)


def no_empty_quote(finding, sources):
    return "an empty quote" if finding.get("quote") == "" else guards(finding, sources)


def by_the_end_of_the_path(finding, sources):
    evidence = finding.get("evidence")
    if not isinstance(evidence, str):
        return "no evidence"
    path, _, number = evidence.rpartition(":")
    ends = {name[start:]: name for name in sources for start in range(len(name))}
    known = path if path in sources else ends.get(path, path)
    return guards({**finding, "evidence": f"{known}:{number}"}, sources)


def normal_paths(finding, sources):
    evidence = finding.get("evidence")
    if not isinstance(evidence, str):
        return "no evidence"
    return guards({**finding, "evidence": evidence.removeprefix("./")}, sources)


def quote_in_the_file(finding, sources):
    why = guards({**finding, "quote": None}, sources)
    if why or finding.get("quote") is None:
        return why
    text = sources[finding["evidence"].rpartition(":")[0]]
    return None if finding["quote"] in text else "misquoted"


def whole_line_quoted(finding, sources):
    why = guards(finding, sources)
    if why or finding.get("quote") is None:
        return why
    path, _, number = finding["evidence"].rpartition(":")
    return None if sources[path].splitlines()[int(number) - 1] == finding["quote"] else "misquoted"


def caseless_quote(finding, sources):
    low = {path: text.lower() for path, text in sources.items()}
    quote = finding.get("quote")
    return guards({**finding, "quote": quote and quote.lower()}, low)


def any_digit(finding, sources):
    evidence = finding.get("evidence")
    if not isinstance(evidence, str):
        return "no evidence"
    path, _, number = evidence.rpartition(":")
    if not number.isdecimal():
        return "no line number"
    return guards({**finding, "evidence": f"{path}:{int(number)}"}, sources)


def lets_the_missing_through(finding, sources):
    return guards(finding, sources) if "evidence" in finding else None


def says_nothing(finding, sources):
    return "" if guards(finding, sources) else None


def only_text_in_mind(finding, sources):
    evidence = finding.get("evidence")
    return guards(finding, sources) if evidence is None or ":" in evidence else "not path:line"


WRONG = [
    (dollar_sign, "`$` also matches before it"),
    (paths_of_one_line, "a newline too"),
    (strips_the_evidence, "as it is written"),
    (no_empty_quote, "An empty quote is a part of every line"),
    (by_the_end_of_the_path, "as it is written"),
    (normal_paths, "as it is written"),
    (quote_in_the_file, "part of that"),
    (whole_line_quoted, "The quote is part of the line"),
    (caseless_quote, "letter for letter"),
    (any_digit, "plain decimal digits"),
    (lets_the_missing_through, "without `evidence`"),
    (says_nothing, "An empty file has no line 1"),
    (only_text_in_mind, "any other type than a string"),
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
