"""The grader under attack: no notebook decides its own mark, none sinks the others."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import psutil
import pytest

from labkit.checks import InProcess, exercises, judge
from tests.grading import (
    RIGHT,
    WRONG,
    code,
    exercise_cell,
    feedback,
    graded,
    shipped,
    statuses,
    write,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")

Notebooks = dict[str, dict[str, Any]]


def memorized(seed: str) -> str:
    """An answer to 2.1 that knows every input of one seed, and no other."""
    known: list[tuple[Any, ...]] = []

    def watching(text: str, *, limit: int = 4) -> list[str]:
        try:
            said: Any = exercises["2.1"].reference(text, limit=limit)
        except ValueError:
            known.append((text, limit, None))
            raise
        known.append((text, limit, said))
        return said  # type: ignore[no-any-return]

    assert judge(exercises["2.1"], InProcess(watching), seed=seed).passed
    return f"""
KNOWN = {known!r}

def parse_plan(text, *, limit=4):
    for known, cap, said in KNOWN:
        if (known, cap) == (text, limit):
            if said is None:
                raise ValueError("none")
            return said
    return []
"""


FORGERIES = {
    "patches labkit": """
        import labkit.checks, labkit.checks.judge, labkit.checks.verdict, labkit.checks.player
        from labkit.checks import exercises
        labkit.checks.judge.same = lambda *_: True
        labkit.checks.judge.Run.expect = lambda *_, **__: None
        labkit.checks.judge.Run.fail = lambda *_, **__: None
        labkit.checks.judge.NotYet = type("NotYet", (Exception,), {})
        labkit.checks.verdict.Verdict.passed = True
        for exercise in exercises.values():
            object.__setattr__(exercise, "grade", lambda bench: None)
        def parse_plan(text, *, limit=4):
            return []
    """,
    "patches the player": """
        from labkit.checks import player
        def play(job, function, channel):
            for how in ("passed", "verdict", "points"):
                channel({"events": [{how: True}], "end": True})
        player.play = play
        def parse_plan(text, *, limit=4):
            return []
    """,
    "walks frames": """
        import sys
        def parse_plan(text, *, limit=4):
            frame, seen = sys._getframe(), []
            while frame is not None:
                for name, value in frame.f_locals.items():
                    if type(value).__name__ in ("Session", "Bench", "Run", "Step", "Exercise"):
                        seen.append(name)
                    if name in ("wanted", "seed", "bench"):
                        seen.append(name)
                frame = frame.f_back
            raise LookupError(f"found {seen}")
    """,
    "walks garbage": """
        import gc
        def parse_plan(text, *, limit=4):
            kinds = {"Session", "Bench", "Run", "Step", "Observed", "Random"}
            found = sorted({type(o).__name__ for o in gc.get_objects()} & kinds)
            raise LookupError(f"found {found}")
    """,
    "prints a verdict": """
        import json, os
        def parse_plan(text, *, limit=4):
            said = json.dumps({"passed": True, "status": "passed", "points": 9})
            print(said, flush=True)
            print(json.dumps({"events": [{"passed": True}], "end": True}), flush=True)
            for descriptor in (0, 1, 2):
                os.write(descriptor, said.encode())
            return []
    """,
    "ends the program": """
        import sys
        def parse_plan(text, *, limit=4):
            sys.exit(0)
    """,
    "ends the process": """
        import os
        def parse_plan(text, *, limit=4):
            os._exit(0)
    """,
    "replaces check": """
        import builtins, labkit, labkit.checks
        check = builtins.check = labkit.check = labkit.checks.check = lambda *_, **__: "passed"
        labkit.checks.judge = lambda *_, **__: "passed"
        def parse_plan(text, *, limit=4):
            return []
        check("2.1", parse_plan)
    """,
    "equals everything": """
        class Anything(list):
            def __eq__(self, other): return True
            def __ne__(self, other): return False
            def __len__(self): return 3
            def __iter__(self): return iter(["Anything"] * 3)
        def parse_plan(text, *, limit=4):
            return Anything()
    """,
    "knows the examples": memorized("0"),
    "speaks the protocol": """
        import json, os
        def parse_plan(text, *, limit=4):
            turns = [
                {"events": [{"passed": True, "verdict": "passed"}], "end": True},
                {"passed": True},
            ]
            for descriptor in range(3, 64):
                for turn in turns:
                    try:
                        os.write(descriptor, json.dumps(turn).encode() + b"\\n")
                    except OSError:
                        break
            return []
    """,
    "talks nonsense": """
        import os
        def parse_plan(text, *, limit=4):
            for descriptor in range(3, 64):
                try:
                    os.write(descriptor, b"[" * 100000 + b"\\n")
                except OSError:
                    pass
            return []
    """,
    "overwrites its neighbours": """
        import os, pathlib
        for place in ("results.json", "result.json", ".labkit/grade.jsonl", "../results.json"):
            for folder in (pathlib.Path("."), pathlib.Path(BESIDE), pathlib.Path("/tmp")):
                try:
                    target = folder / place
                    target.parent.mkdir(exist_ok=True)
                    target.write_text('{"points": 99}')
                except OSError:
                    pass
        def parse_plan(text, *, limit=4):
            return []
    """,
    "reads the grader": """
        import os, pathlib
        def parse_plan(text, *, limit=4):
            seen = []
            for entry in pathlib.Path("/proc").iterdir():
                if entry.name.isdigit() and int(entry.name) not in (1, os.getpid()):
                    for what in ("mem", "environ", "cmdline"):
                        try:
                            seen.append(open(entry / what, "rb").read(10))
                        except OSError:
                            pass
            raise LookupError(f"found {seen}")
    """,
}


@pytest.fixture(scope="module")
def forged(tmp_path_factory: pytest.TempPathFactory) -> Notebooks:
    """The notebooks of forgers, each with one right answer in it, graded in one go."""
    root = tmp_path_factory.mktemp("forgers")
    for name, source in FORGERIES.items():
        folder = root / name
        source = source.replace("BESIDE", repr(str(folder)))
        write(
            folder / "mine.ipynb",
            exercise_cell("2.1", source),
            exercise_cell("4.4", RIGHT["4.4"]),
        )
    shadow = root / "shadows labkit"
    write(shadow / "mine.ipynb", exercise_cell("2.1", WRONG["2.1"]))
    passing = "check = judge = grade = lambda *_, **__: True\n"
    for name in ("labkit/__init__.py", "labkit/checks/__init__.py", "labkit/patterns/__init__.py"):
        file = shadow / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(passing)
    for name in ("sitecustomize.py", "usercustomize.py", "json.py", "asyncio.py", "IPython.py"):
        (shadow / name).write_text("import os; os._exit(0)\n")
    report = graded(root, env={"ANTHROPIC_API_KEY": "sk-secret"})
    assert not psutil.Process().children()
    return {notebook["learner"]: notebook for notebook in report["notebooks"]}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_verdict_is_none(name: str, forged: Notebooks) -> None:
    found = forged[name]
    assert statuses(found)["2.1"] == "failed", found
    if name == "patches the player":  # its own later answers have nobody left to play them
        assert found["points"] == 0
    else:
        assert statuses(found)["4.4"] == "passed", found
        assert found["points"] == exercises["4.4"].worth


def test_files_beside_the_notebook_replace_nothing(forged: Notebooks) -> None:
    assert statuses(forged["shadows labkit"])["2.1"] == "failed"
    assert "wanted: " in feedback(forged["shadows labkit"], "2.1")


def test_nothing_of_the_judge_is_in_reach(forged: Notebooks) -> None:
    for name in ("walks frames", "walks garbage", "reads the grader"):
        assert "found []" in feedback(forged[name], "2.1"), forged[name]


def test_who_knows_the_seed_does_pass(tmp_path: Path) -> None:
    """What the forger of "knows the examples" lacks is the seed, and nothing else."""
    path = write(tmp_path / "mine.ipynb", exercise_cell("2.1", memorized("known")))
    assert statuses(graded(path, seed="known")["notebooks"][0])["2.1"] == "passed"


def test_a_forger_cannot_write_beside_the_notebook(
    forged: Notebooks, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = Path(forged["overwrites its neighbours"]["path"]).parent
    assert [path.name for path in folder.iterdir()] == ["mine.ipynb"]


def test_a_forger_of_the_sdk_has_nothing_from_it(tmp_path: Path) -> None:
    source = """
        import anthropic, httpx2
        async def create(self, **_):
            return "passed"
        anthropic.resources.messages.AsyncMessages.create = create
        httpx2.AsyncClient.send = create
        async def ask(client, prompt, *, system=None):
            return await client.messages.create(model="m", max_tokens=1, messages=[])
    """
    found = graded(write(tmp_path / "mine.ipynb", exercise_cell("0.1", source)))["notebooks"][0]
    assert statuses(found)["0.1"] == "failed"


# What goes wrong by itself, or is made to

BAD = {
    "loops in Python": "while True: pass",
    "loops in C": "import itertools, collections; collections.deque(itertools.count(), maxlen=0)",
    "deadlocks": "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "waits for nobody": "import asyncio; await asyncio.get_running_loop().create_future()",
    "crashes": "import ctypes; ctypes.string_at(0)",
    "ends": "import os; os._exit(0)",
    "exits": "raise SystemExit",
    "takes all memory": "hoard = [bytearray(2**24) for _ in range(10_000)]",
    "prints 100 MB": "for _ in range(100): print('x' * 2**20)",
    "writes 100 MB to descriptors": "import os\nfor _ in range(100): os.write(1, b'x' * 2**20)",
    "fills the disk": "with open('big', 'wb') as f:\n    while True: f.write(b'x' * 2**20)",
    "forks and forks": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    "starts threads": "import threading, time\nwhile True: threading.Thread(target=time.sleep,"
    " args=(9,)).start()",
    "sleeps for a day": "import time; time.sleep(86_400)",
    "awaits a day": "import asyncio; await asyncio.sleep(86_400)",
    "recurses": "def f(n): return f(n + 1)\nf(0)",
    "closes everything": "import os; os.closerange(0, 4096)",
    "kills everything": "import os, signal\ntry: os.kill(-1, signal.SIGKILL)\nexcept OSError: pass",
    "kills its group": "import os, signal; os.killpg(0, signal.SIGKILL)",
    "is no Python": "def broken(:",
    "uses magics": "%time 1 + 1\n%matplotlib inline\n!true\nx = !ls\nx.s",
    "displays": "from IPython.display import display, HTML; display(HTML('<b>hi</b>')); 1",
    "leaves a daemon": """
        import os, sys, subprocess
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)  # lingerer"],
                         start_new_session=True)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                import signal
                signal.pause()
            os._exit(0)
    """,
}
ENDLESS = {"loops in Python", "loops in C", "deadlocks", "forks and forks"}
"""What only a time limit ends; all else gets more time than any machine needs for it."""

SAYS = {
    "loops in Python": "and was stopped",
    "loops in C": "and was stopped",
    "deadlocks": "and was stopped",
    "waits for nobody": "Deadlock",
    "crashes": "crashed the interpreter",
    "ends": "ended by itself (exit status 0)",
    "exits": "SystemExit",
    "takes all memory": "MemoryError",
    "fills the disk": "OSError",
    "forks and forks": "",
    "starts threads": "can't start new thread",
    "recurses": "RecursionError",
    "kills its group": "SIGKILL",
    "is no Python": "SyntaxError",
    "closes everything": "process",
}


@pytest.fixture(scope="module")
def survived(tmp_path_factory: pytest.TempPathFactory) -> Notebooks:
    """Notebooks with a bad cell before two right answers, and files that are no notebooks."""
    root = tmp_path_factory.mktemp("bad")
    endless = tmp_path_factory.mktemp("endless")
    for name, source in BAD.items():
        write(
            (endless if name in ENDLESS else root) / name / "mine.ipynb",
            exercise_cell("2.1", RIGHT["2.1"]),
            code(source),
            exercise_cell("4.4", RIGHT["4.4"]),
        )
    for name, data in {
        "no json": b"{oops",
        "no notebook": b'{"hello": [1, 2]}',
        "a list": b"[]",
        "empty": b"",
        "not utf-8": b'{"cells": [{"cell_type": "code", "source": "\xff\xfe"}]}',
        "deep": b"[" * 1_000_000,
        "many lists": b"[" + b"[]," * 20_000_000 + b"[]]",
        "format 3": b'{"worksheets": [], "nbformat": 3}',
        "odd cells": b'{"cells": [1, null, {"cell_type": "code"}, {"cell_type": "code", "source":'
        b' 7, "metadata": 5}, {"cell_type": "code", "source": ["\\ud800", 3], "id": {}}]}',
        "100,000 cells": json.dumps(
            {"cells": [{"cell_type": "code", "source": "1", "metadata": {}}] * 100_000}
        ).encode(),
    }.items():
        (root / name).mkdir()
        (root / name / "mine.ipynb").write_bytes(data)
    (root / "link").mkdir()
    (root / "link" / "mine.ipynb").symlink_to(root / "ends" / "mine.ipynb")
    (root / "a folder").mkdir()
    (root / "a folder" / "mine.ipynb").mkdir()
    (root / "a folder" / "mine.ipynb" / "inner.ipynb").write_text("{}")
    (root / "a pipe").mkdir()
    import os

    os.mkfifo(root / "a pipe" / "mine.ipynb")
    found = [*graded(root, cell=60.0)["notebooks"], *graded(endless, cell=4.0)["notebooks"]]
    return {notebook["learner"]: notebook for notebook in found}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_cell_costs_only_itself(name: str, survived: Notebooks) -> None:
    found = survived[name]
    assert statuses(found)["2.1"] == "passed", found
    assert statuses(found)["4.4"] == "passed", found
    assert SAYS.get(name, "") in " ".join(found["problems"]), found["problems"]
    if name not in SAYS:
        assert not found["problems"]


@pytest.mark.parametrize(
    ("name", "says"),
    {
        "no json": "no JSON",
        "no notebook": "no list of cells",
        "a list": "no list of cells",
        "empty": "the file is empty",
        "not utf-8": "not UTF-8",
        "deep": "no JSON",
        "many lists": "too much memory",
        "format 3": "format 3",
        "odd cells": "no exercise",
        "100,000 cells": "100,000 cells",
        "link": "link out of its folder",
        "a pipe": "no regular file",
    }.items(),
)
def test_a_file_that_is_no_notebook_is_told(name: str, says: str, survived: Notebooks) -> None:
    assert says in " ".join(survived[name]["problems"]), survived[name]
    assert survived[name]["points"] == 0


def test_nothing_that_a_submission_started_is_left(survived: Notebooks) -> None:
    left = [
        process.info["cmdline"]
        for process in psutil.process_iter(["cmdline"])
        if any("lingerer" in part for part in process.info["cmdline"] or ())
    ]
    assert not left
    assert not psutil.Process().children()


def test_nothing_is_left_where_there_are_no_namespaces(tmp_path: Path) -> None:
    """Then no kernel ends what is left: it has to be found, however fast it multiplies."""
    for name in ("forks and forks", "leaves a daemon"):
        cells = [code(BAD[name]), exercise_cell("2.1", RIGHT["2.1"])]
        write(tmp_path / name / "mine.ipynb", *cells)
    report = graded(tmp_path, isolation=["landlock"], cell=2.0)
    if not report["isolation"]["processes counted"]:
        pytest.skip("nothing bounds the number of processes here")
    assert [statuses(it)["2.1"] for it in report["notebooks"]] == ["passed", "passed"]
    test_nothing_that_a_submission_started_is_left({})
    first = 700_000_000
    owned = [it for it in psutil.process_iter(["uids"]) if (it.info["uids"] or (0,))[0] >= first]
    assert not owned


# Apart from the machine, by each means there is

PRYING = {
    "environment": """
        import os, pathlib
        said = str(dict(os.environ)) + pathlib.Path("/proc/self/environ").read_text()
        assert "sk-secret" not in said, "the key is here"
    """,
    "files": """
        for path in (OTHER, "/etc/shadow", HERE):
            try:
                open(path).read()
            except OSError:
                continue
            raise AssertionError(f"read {path}")
    """,
    "folders": """
        import os
        for path in ("/root", "/home", "/", os.path.dirname(HERE)):
            try:
                os.listdir(path)
            except OSError:
                continue
            raise AssertionError(f"listed {path}")
    """,
    "writes": """
        import os, sys
        for folder in (os.path.dirname(HERE), sys.prefix, "/usr", "/etc", "/var/tmp", "/"):
            try:
                open(os.path.join(folder, "pried"), "w")
            except OSError:
                continue
            raise AssertionError(f"wrote to {folder}")
    """,
    "network": """
        import socket
        for address in (("127.0.0.1", PORT), ("192.0.2.1", 80)):
            try:
                socket.create_connection(address, timeout=1)
            except OSError:
                continue
            raise AssertionError(f"reached {address}")
    """,
    "signals": """
        import os, signal
        for pid in (GRADER, 1):
            try:
                os.kill(pid, 0)
            except OSError:
                continue
            if pid != 1:
                raise AssertionError(f"could signal {pid}")
    """,
    "its own": """
        import os, socket, tempfile, threading
        open("mine.txt", "w").write("mine")
        tempfile.NamedTemporaryFile().write(b"mine")
        assert os.path.exists("data.txt") and open("data.txt").read() == "beside"
        socket.socketpair()
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    """,
}


@pytest.mark.parametrize(
    ("isolation", "active"),
    [
        (("namespaces", "landlock"), {"no network", "no other processes", "no files of others"}),
        (("landlock",), {"no network", "no files of others"}),
        (("namespaces",), {"no network", "no other processes"}),
        ((), set()),
    ],
    ids=["both", "landlock", "namespaces", "none"],
)
def test_a_submission_is_apart_as_far_as_the_report_says(
    isolation: tuple[str, ...], active: set[str], tmp_path: Path
) -> None:
    import os
    import socket

    folder = tmp_path / "nosy"
    other = write(tmp_path / "other" / "mine.ipynb", exercise_cell("2.1", RIGHT["2.1"]))
    with socket.create_server(("127.0.0.1", 0)) as server:
        facts = {
            "OTHER": str(other),
            "HERE": str(folder / "mine.ipynb"),
            "PORT": server.getsockname()[1],
            "GRADER": os.getpid(),
        }
        given = "\n".join(f"{name} = {value!r}" for name, value in facts.items())
        cells = [code(f"# {name}\n{textwrap.dedent(source)}") for name, source in PRYING.items()]
        write(
            folder / "mine.ipynb",
            code(given),
            *cells,
            exercise_cell("2.1", RIGHT["2.1"]),
        )
        (folder / "data.txt").write_text("beside")
        report = graded(folder, isolation=isolation, env={"ANTHROPIC_API_KEY": "sk-secret"})
    told = {name for name, on in report["isolation"].items() if on}
    if not active <= told:
        pytest.skip(f"this system offers {sorted(told)} only")
    found = report["notebooks"][0]
    assert statuses(found)["2.1"] == "passed"
    got = " ".join(found["problems"])
    assert "key is here" not in got
    assert f"cell {len(PRYING) + 1} raised" not in got, "what is its own has to work"
    if "no files of others" in active:
        assert "read " not in got
        assert "listed" not in got
        assert "wrote" not in got
    if "no network" in active:
        assert "reached" not in got
    if "no other processes" in active:
        assert "could signal" not in got
    if not active:
        assert not {"no network", "no other processes", "no files of others"} & told
        assert "reached" in got, "the probe itself has to see what is open"


# The learner's hand in the notebook


def saved(path: Path, notebook: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def one(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = graded(path)["notebooks"][0]
    return found


def test_a_deleted_exercise_is_missing_and_not_wrong(tmp_path: Path) -> None:
    notebook = shipped("02_orchestrator_workers", {"2.1": RIGHT["2.1"]})
    notebook["cells"] = [
        cell
        for cell in notebook["cells"]
        if cell["metadata"].get("labkit", {}).get("exercise") != "2.2"
    ]
    found = one(saved(tmp_path / "renamed (1).ipynb", notebook))
    assert found["lesson"] == "02_orchestrator_workers"
    assert statuses(found) == {"2.1": "passed", "2.2": "missing", "2.3": "not attempted"}


def test_an_answer_in_a_cell_of_ones_own_is_found_by_its_name(tmp_path: Path) -> None:
    notebook = shipped("02_orchestrator_workers", {})
    for cell in notebook["cells"]:
        if cell["metadata"].get("labkit", {}).get("exercise") == "2.1":
            cell.update(metadata={}, id="new", source=textwrap.dedent(RIGHT["2.1"]).strip())
    found = one(saved(tmp_path / "mine.ipynb", notebook))
    assert statuses(found)["2.1"] == "passed"


def test_an_answer_beside_the_stub_is_found_too(tmp_path: Path) -> None:
    notebook = shipped("02_orchestrator_workers", {})
    notebook["cells"].append({**code(RIGHT["2.1"]), "id": "new"})
    found = one(saved(tmp_path / "mine.ipynb", notebook))
    assert statuses(found) == {"2.1": "passed", "2.2": "not attempted", "2.3": "not attempted"}


@pytest.mark.parametrize("first", [True, False], ids=["right first", "right last"])
def test_a_doubled_exercise_counts_with_its_right_answer(first: bool, tmp_path: Path) -> None:
    right, wrong = exercise_cell("2.1", RIGHT["2.1"]), exercise_cell("2.1", WRONG["2.1"])
    cells = [right, wrong] if first else [wrong, right]
    found = one(write(tmp_path / "mine.ipynb", *cells))
    assert statuses(found)["2.1"] == "passed"
    assert "2 cells hold this exercise" in feedback(found, "2.1")


def test_cells_out_of_order_find_what_comes_later(tmp_path: Path) -> None:
    answer = textwrap.dedent(RIGHT["2.1"])
    imports, body = answer.split("\n\n", 1)
    late = exercise_cell("2.1", body)
    helped = exercise_cell("4.4", "def synthesize(passed):\n    return written(passed)")
    found = one(
        write(
            tmp_path / "mine.ipynb",
            late,
            helped,
            code(imports),
            code(textwrap.dedent(RIGHT["4.4"]).replace("synthesize", "written")),
        )
    )
    assert statuses(found)["2.1"] == "passed"
    assert statuses(found)["4.4"] == "passed"
    assert not found["problems"]


def test_an_old_version_of_the_course_is_graded_all_the_same(tmp_path: Path) -> None:
    notebook = shipped("02_orchestrator_workers", {"2.1": RIGHT["2.1"]})
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = "# as it was in an earlier version\n" + "".join(cell["source"])
            del cell["id"]
    found = one(saved(tmp_path / "02_orchestrator_workers.ipynb", notebook))
    assert statuses(found) == {"2.1": "passed", "2.2": "not attempted", "2.3": "not attempted"}


def test_a_cell_that_raises_is_told_even_where_the_answer_is_right(tmp_path: Path) -> None:
    answer = textwrap.dedent(RIGHT["2.1"]) + "\nprint(undefined_thing)\n"
    found = one(write(tmp_path / "mine.ipynb", exercise_cell("2.1", answer)))
    assert statuses(found)["2.1"] == "passed"
    assert "The cell raised NameError" in feedback(found, "2.1")


def test_a_cell_that_raises_before_it_defines_anything_is_wrong_and_not_missing(
    tmp_path: Path,
) -> None:
    found = one(write(tmp_path / "mine.ipynb", exercise_cell("2.1", "1 / 0\n" + RIGHT["2.1"])))
    assert statuses(found)["2.1"] == "failed"


def test_a_name_that_is_no_function_is_wrong(tmp_path: Path) -> None:
    found = one(write(tmp_path / "mine.ipynb", exercise_cell("2.1", "parse_plan = 3")))
    assert statuses(found)["2.1"] == "failed"
    assert "no function" in feedback(found, "2.1")


def test_feedback_quotes_only_so_much(tmp_path: Path) -> None:
    answer = "def parse_plan(text, *, limit=4):\n    print('x' * 90_000)\n    return []"
    found = one(write(tmp_path / "mine.ipynb", exercise_cell("2.1", answer)))
    assert statuses(found)["2.1"] == "failed"
    assert "xxx" in feedback(found, "2.1")
    assert len(feedback(found, "2.1")) <= 8_000


def test_a_notebook_that_has_used_up_its_time_keeps_what_it_has(tmp_path: Path) -> None:
    slow = "import threading; threading.Event().wait(2)"
    path = write(
        tmp_path / "mine.ipynb",
        exercise_cell("2.1", RIGHT["2.1"]),
        code(slow),
        code(slow),
        exercise_cell("4.4", RIGHT["4.4"]),
    )
    found = graded(path, notebook=3.0)["notebooks"][0]
    assert statuses(found)["2.1"] == "passed"
    assert statuses(found)["4.4"] == "not graded"
    assert "longer than the 3 s" in " ".join(found["problems"])


def test_an_answer_that_hangs_or_ends_costs_only_itself(tmp_path: Path) -> None:
    report = graded(
        write(
            tmp_path / "mine.ipynb",
            exercise_cell("2.1", "def parse_plan(text, *, limit=4):\n    while True: pass"),
            exercise_cell("3.4", "async def gather_settled(w, s):\n    import os; os._exit(3)"),
            exercise_cell("4.4", RIGHT["4.4"]),
        ),
        run=1.0,
    )
    found = report["notebooks"][0]
    assert {id: it for id, it in statuses(found).items() if it != "missing"} == {
        "2.1": "failed",
        "3.4": "failed",
        "4.4": "passed",
    }
    assert "did not come back" in feedback(found, "2.1")
    assert "exit status 3" in feedback(found, "3.4")
