"""`labkit grade --cluster`: the same reports, whoever grades, and whoever dies meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from labkit.grade.sandbox import Limits
from tests.grading import RIGHT, WRONG, code, command, exercise_cell, statuses, write

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="workers grade on Linux alone")

PATIENCE = 120
"""Seconds after which something that should have happened is taken never to happen."""

SCHEDULER = """
import asyncio, sys
from distributed import Scheduler
{before}

async def main():
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        print(scheduler.address, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""

WORKER = """
import asyncio, sys
from distributed import Worker
{before}

async def main():
    async with Worker(sys.argv[1], nthreads=1, host="127.0.0.1", dashboard=False) as worker:
        print(worker.address, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


class Started:
    """A process and the first line that it said."""

    def __init__(self, source: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", source, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "ANTHROPIC_API_KEY": "sk-secret"},
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def running(*workers: str, scheduled: str = "") -> Iterator[tuple[str, list[Started]]]:
    """A cluster, with the code that each worker, and the scheduler, runs before it begins."""
    with contextlib.ExitStack() as stack:
        scheduler = Started(SCHEDULER.format(before=scheduled))
        stack.callback(scheduler.kill)
        started = []
        for before in workers:
            worker = Started(WORKER.format(before=before), scheduler.said)
            stack.callback(worker.kill)
            started.append(worker)
        yield scheduler.said, started


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with running("", "") as (address, _):
        yield address


def a_class(root: Path, *, learners: int = 3) -> Path:
    """Right and wrong answers, a file beside a notebook, a cell that raises, and no notebook."""
    for number in range(learners):
        answers = WRONG if number % 2 else RIGHT
        folder = root / f"learner-{number}"
        raising = code("print('loud')\n1 / 0")
        write(folder / "02.ipynb", raising, exercise_cell("2.1", answers["2.1"]))
        beside = code("secret = open('beside.txt').read()\nassert secret == 'it came along'")
        write(folder / "03.ipynb", beside, exercise_cell("3.4", answers["3.4"]))
        (folder / "beside.txt").write_text("it came along")
    (root / "learner-0" / "04.ipynb").write_text("{")
    (root / "learner-0" / "05.ipynb").symlink_to("/etc/hostname")
    return root


def but_for_times(report: dict[str, Any]) -> dict[str, Any]:
    exercises = [it for notebook in report["notebooks"] for it in notebook["exercises"]]
    for timed in (report, *report["notebooks"], *exercises):
        del timed["seconds"]
    return report


def family(process: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.children(recursive=True)
    return []


def test_the_report_is_that_of_this_machine(cluster: str, tmp_path: Path) -> None:
    root = a_class(tmp_path / "class")
    arguments = ("grade", root, "--seed", "s", "--format", "json")
    here = command(*arguments, cwd=tmp_path)
    there = command(*arguments, "--cluster", cluster, cwd=tmp_path)
    assert there.returncode == 0, there.stderr
    assert there.stderr == ""
    report = but_for_times(json.loads(there.stdout))
    assert report == but_for_times(json.loads(here.stdout))
    assert len(report["notebooks"]) == 8
    assert not list((tmp_path / ".labkit").glob("*.jsonl"))


def test_the_seed_is_not_with_the_learner(cluster: str, tmp_path: Path) -> None:
    searching = """
        import ctypes, os, re

        PLANTED = "this is " + str(1000) + " in memory"

        def held(pattern):
            for line in open("/proc/self/maps").readlines():
                place, rights, *_ = line.split()
                begin, end = (int(it, 16) for it in place.split("-"))
                if rights.startswith("rw"):
                    memory = (ctypes.c_char * (end - begin)).from_address(begin)
                    if re.search(pattern, memory):
                        return True
            return False

        # The patterns do not match themselves.
        try:
            open("/proc/self/maps").close()
        except OSError:
            pass  # the sandbox lets nobody look
        else:
            assert held(b"this is 100[0] in memory"), "the search does not find what is there"
            assert not held(b"drawn-from-[t]his"), "the seed is here"
        assert "sk-secret" not in str(dict(os.environ))
    """
    path = write(tmp_path / "02.ipynb", code(searching), exercise_cell("2.1", RIGHT["2.1"]))
    arguments = ("grade", path, "--seed", "drawn-from-this", "--format", "json")
    report = json.loads(command(*arguments, "--cluster", cluster, cwd=tmp_path).stdout)
    assert report["notebooks"][0]["problems"] == []
    assert statuses(report["notebooks"][0])["2.1"] == "passed"


def test_what_was_graded_before_is_taken_up(cluster: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a" / "02.ipynb", exercise_cell("2.1", RIGHT["2.1"]))
    other = write(tmp_path / "b" / "02.ipynb", exercise_cell("2.1", RIGHT["2.1"]))
    report = json.loads(
        command("grade", path, "--seed", "s", "--format", "json", cwd=tmp_path).stdout
    )
    known = report["notebooks"][0] | {"seconds": 77.0}
    journal = tmp_path / "j.jsonl"
    head = {"labkit": report["labkit"], "seed": "s"}
    journal.write_text("".join(json.dumps(line) + "\n" for line in (head, known)))
    done = command(
        *("grade", path, other, "--format", "json", "--cluster", cluster),
        *("--resume", "--journal", journal),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    resumed = json.loads(done.stdout)
    assert resumed["seed"] == "s"
    assert resumed["notebooks"][0]["seconds"] == 77.0, "it is not graded again"
    assert statuses(resumed["notebooks"][1])["2.1"] == "passed"
    assert not journal.exists()


def begun(*arguments: str | Path, cwd: Path) -> subprocess.Popen[str]:
    """The ``labkit`` command, while it runs."""
    return subprocess.Popen(
        [sys.executable, "-m", "labkit", *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def caught_at_work(
    grading: subprocess.Popen[str], workers: list[Started]
) -> tuple[Started, list[psutil.Process]]:
    """A worker in the middle of a notebook: its judge is there, and is stopped before its end."""
    while grading.poll() is None:
        for worker in workers:
            for station in psutil.Process(worker.process.pid).children():
                # A station has the interpreter that is forked from, and then its judges.
                for judge in station.children()[1:]:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        judge.suspend()
                        # On a busy machine the signal takes a while to arrive.
                        settled = (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
                        while (status := judge.status()) not in settled:
                            pass
                        if status == psutil.STATUS_STOPPED:
                            return worker, family(psutil.Process(worker.process.pid))
    raise AssertionError(f"it ended before anybody was caught: {grading.communicate()}")


@pytest.mark.long
def test_a_worker_that_dies_loses_nothing(tmp_path: Path) -> None:
    root = a_class(tmp_path / "class", learners=6)
    arguments = ("grade", root, "--seed", "s", "--format", "json")
    with running("", "") as (address, workers):
        process = begun(*arguments, "--cluster", address, cwd=tmp_path)
        worker, below = caught_at_work(process, workers)
        worker.process.send_signal(signal.SIGKILL)
        out, told = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, told
        _, alive = psutil.wait_procs(below, timeout=PATIENCE)
        assert not alive, "what the dead worker had started is gone, too"
    here = command(*arguments, cwd=tmp_path)
    assert but_for_times(json.loads(out)) == but_for_times(json.loads(here.stdout))


@pytest.mark.long
def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    root = a_class(tmp_path / "class", learners=6)
    with running("", "") as (address, workers):
        process = begun("grade", root, "--cluster", address, cwd=tmp_path)
        caught_at_work(
            process, workers
        )  # its notebook stays in the middle for as long as it is stopped
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE)
        assert process.returncode == 130, told
        assert told == "labkit: interrupted; --resume goes on from here\n"
        assert list((tmp_path / ".labkit").glob("grade-*.jsonl"))
        for worker in workers:
            assert worker.process.poll() is None, "the cluster is not ours to end"
            assert not family(psutil.Process(worker.process.pid))


ANOTHER = "import labkit; labkit.__version__ = '9.9'"

OTHERS = pytest.mark.parametrize(
    ("before", "told"),
    [
        (ANOTHER, "has labkit 9.9, and this is labkit"),
        ("sys.modules['labkit'] = None", "has no labkit that can be imported"),
    ],
    ids=["another", "none"],
)


@pytest.mark.long
@OTHERS
def test_a_worker_with_another_labkit_is_refused(before: str, told: str, tmp_path: Path) -> None:
    path = write(tmp_path / "02.ipynb", exercise_cell("2.1", RIGHT["2.1"]))
    with running("", before) as (address, workers):
        done = command("grade", path, "--cluster", address, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"labkit: the worker {workers[1].said} {told}")
    assert done.stderr.count("\n") == 1


@pytest.mark.long
@OTHERS
def test_so_is_a_scheduler(before: str, told: str, tmp_path: Path) -> None:
    path = write(tmp_path / "02.ipynb", exercise_cell("2.1", RIGHT["2.1"]))
    with running("", scheduled=before) as (address, _):
        done = command("grade", path, "--cluster", address, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"labkit: the scheduler {address} {told}")
    assert done.stderr.count("\n") == 1


@pytest.mark.long
def test_so_is_a_worker_that_comes_later(tmp_path: Path) -> None:
    root = a_class(tmp_path / "class", learners=6)
    with running("") as (address, workers):
        process = begun("grade", root, "--cluster", address, cwd=tmp_path)
        caught_at_work(process, workers)  # what is left of the class waits for another worker
        late = Started(WORKER.format(before=ANOTHER), address)
        _, said = process.communicate(timeout=PATIENCE)
        late.kill()
    assert process.returncode == 2
    assert said.startswith(f"labkit: the worker {late.said} has labkit 9.9, and this is labkit")
    assert said.count("\n") == 1
    assert list((tmp_path / ".labkit").glob("grade-*.jsonl")), "what was graded is not lost"


@pytest.mark.long
def test_a_cluster_without_workers_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "02.ipynb", exercise_cell("2.1", RIGHT["2.1"]))
    with running() as (address, _):
        done = command("grade", path, "--cluster", address, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        f"labkit: the cluster at {address} has no worker: start some with `dask worker {address}`\n"
    )


def test_an_address_that_does_not_answer_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "02.ipynb", exercise_cell("2.1", RIGHT["2.1"]))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        done = command("grade", path, "--cluster", address, cwd=tmp_path, timeout=PATIENCE)
    assert done.returncode == 2
    assert done.stderr.startswith(f"labkit: no Dask scheduler answers at {address} (")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("address", ["", "10.0.0.1", "tcp://10.0.0.1:port", "no://10.0.0.1:1"])
def test_an_address_that_is_none_is_told(address: str, tmp_path: Path) -> None:
    path = write(tmp_path / "02.ipynb", exercise_cell("2.1", RIGHT["2.1"]))
    done = command("grade", path, "--cluster", address, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"labkit: no Dask scheduler answers at {address} (")
    assert done.stderr.count("\n") == 1


def test_without_dask_it_says_what_to_install(tmp_path: Path) -> None:
    path = write(tmp_path / "02.ipynb", exercise_cell("2.1", RIGHT["2.1"]))
    hide = (
        "import importlib.util as util, sys; found = util.find_spec;"
        "util.find_spec = lambda name, *more: name != 'distributed' and found(name, *more) or None;"
        "from labkit.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", hide, "grade", path, "--cluster", "tcp://127.0.0.1:1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    assert done.returncode == 2
    assert done.stderr == (
        "labkit: --cluster needs Dask, which is not installed."
        " pip install 'labkit[cluster]' brings it.\n"
    )


def test_no_message_shows_the_seed() -> None:
    """Dask logs what a task that failed was called with."""
    from labkit.grade.station import Notebook, Order

    order = Order("id", "1", "the-seed", Limits(), ())
    notebook = Notebook("a.ipynb", "ada", b"the-answer", {"f": "the-file"})
    assert "the-seed" not in repr(order)
    assert "the-" not in repr(notebook)
