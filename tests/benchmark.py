"""What labkit takes, measured: ``python tests/benchmark.py`` prints each figure with its target.

With ``--binder`` it builds what Binder would build, and measures that alone.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from labkit import Rule, check, connect, run
from labkit.checks import exercises
from labkit.patterns import ask, gather_bounded

CALLS = 1_000
WORKERS = 10_000
BOARD = """
import time
from labkit import Call, Trace
from labkit.widgets.boards import Screen
from labkit.widgets.frames import Plan, Rows
names = [f"worker {n}" for n in range(20)]
calls = [Call(name, n / 10, n / 10 + 2 if n % 3 else None, "ok" if n % 3 else "running")
         for n, name in enumerate(names)]
trace, rows, screen = Trace(calls), Rows(names), Screen("Twenty", Plan(limit=7))
before = time.process_time()
for step in range(500):
    screen._draw(trace, rows.take(trace), 3 + step / 1000)
print((time.process_time() - before) / 500 * 1000)
"""
FAN_OUT = """
import asyncio
from labkit import Rule, connect, record
from labkit.patterns import ask, gather_bounded
client = connect([Rule("", says="done", seconds=0.5)])
await ask(client, "warm")
with record() as trace:
    await asyncio.gather(*(ask(client, f"worker {n}") for n in range(10)))
print(trace.seconds / max(call.seconds for call in trace.calls), trace.seconds)
"""


def free_calls() -> tuple[str, str]:
    client = connect([Rule("", says="done", seconds=60)])

    async def main() -> float:
        await asyncio.gather(*(ask(client, f"call {n}") for n in range(CALLS)))
        return asyncio.get_running_loop().time()

    run(ask(client, "warm"))
    started = time.process_time()
    seconds = run(main())
    each = (time.process_time() - started) / CALLS * 1_000
    return f"{seconds:.3f} s", f"{each:.2f} ms"


def bounded_workers() -> tuple[str, str]:
    async def worker(_task: str) -> None:
        await asyncio.sleep(1)

    async def ours() -> float:
        await gather_bounded(worker, list(map(str, range(WORKERS))), limit=100)
        return asyncio.get_running_loop().time()

    async def bare() -> None:
        # Short sleeps: what is compared is processor time, and a hundred seconds would be waited.
        async def in_a_row() -> None:
            for _ in range(WORKERS // 100):
                await asyncio.sleep(0.001)

        await asyncio.gather(*(in_a_row() for _ in range(100)))

    started = time.process_time()
    asyncio.run(bare())
    between = time.process_time()
    seconds = run(ours())
    more = (time.process_time() - between) - (between - started)
    return f"{seconds:.3f} s", f"{more / WORKERS * 1e6:.0f} µs"


def all_checks() -> tuple[float, str]:
    for exercise in exercises.values():
        check(exercise.id, exercise.reference)
    medians = {}
    for exercise in exercises.values():
        times = []
        for _ in range(7):
            started = time.process_time()
            assert check(exercise.id, exercise.reference).passed
            times.append(time.process_time() - started)
        medians[exercise.id] = statistics.median(times)
    slowest = sorted(medians, key=medians.__getitem__, reverse=True)[:4]
    told = ", ".join(f"{medians[id] * 1_000:.0f} ms ({id})" for id in slowest)
    return sum(medians.values()), told


def importing() -> float:
    def fastest(statement: str) -> float:
        times = []
        for _ in range(7):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            times.append(time.perf_counter() - started)
        return min(times)

    return fastest("import labkit") - fastest("pass")


def printed_in_a_notebook(source: str) -> list[float]:
    notebook = new_notebook(cells=[new_code_cell(source)])
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    return [float(word) for word in notebook.cells[0].outputs[0].text.split()]


def fan_out_in_a_notebook() -> str:
    ratio, seconds = printed_in_a_notebook(FAN_OUT)
    return f"{ratio:.3f} ({seconds:.3f} s)"


def interrupting() -> float:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        client.execute_interactive("import asyncio, labkit", timeout=60)
        message = client.execute("await asyncio.sleep(15)")
        time.sleep(1)
        started = time.perf_counter()
        manager.interrupt_kernel()
        while client.get_shell_msg(timeout=30)["parent_header"].get("msg_id") != message:
            pass
        return time.perf_counter() - started
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def opening_as_on_binder() -> list[tuple[str, str, str]]:
    # Run as a script, the folder of this file is on the path and the repository is not.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from tests.browser import chromium, opened_as_on_binder, solve_the_first_exercise
    from tools.binder import build

    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        built = build(Path(folder).resolve())
        times = []
        for _ in range(3):
            started = time.perf_counter()
            with opened_as_on_binder(built, browser) as page:
                solve_the_first_exercise(page)
                times.append(time.perf_counter() - started)
                page.close()
    return [
        ("what Binder builds, the image's own Jupyter included", "-", f"{built.megabytes:.0f} MB"),
        ("  the image's own Jupyter alone", "-", f"{built.base:.0f} MB"),
        ("  installing and compiling the course", "-", f"{built.seconds:.0f} s"),
        (
            "from the server's start to the first green check",
            "<= 20 s",
            f"{statistics.median(times):.1f} s (at the first start {times[0]:.1f} s)",
        ),
    ]


def all_but_binder() -> list[tuple[str, str, str]]:
    seconds, each = free_calls()
    bounded, more = bounded_workers()
    total, slowest = all_checks()
    [update] = printed_in_a_notebook(BOARD)
    return [
        (f"{CALLS} calls of 60 s, gathered on the free clock", "60.000 s", seconds),
        ("  processor time a call", "< 2 ms", each),
        (f"{WORKERS} workers of 1 s, 100 in flight, on the free clock", "100.000 s", bounded),
        ("  processor time a worker, more than bare asyncio", "< 100 µs", more),
        ("all checks over their references, processor time", "< 1 s", f"{total:.3f} s"),
        ("  the slowest of them, at the median (4.1: < 500 ms)", "< 50 ms", slowest),
        ("`import labkit`, more than a bare interpreter", "< 0.1 s", f"{importing():.3f} s"),
        ("10 workers of 0.5 s in a notebook / the slowest", "< 1.15", fan_out_in_a_notebook()),
        ("a board of 20 workers, kernel time an update", "< 2 ms", f"{update:.2f} ms"),
        ("interrupting a cell that awaits 15 s", "< 1 s", f"{interrupting():.3f} s"),
    ]


def main() -> None:
    """Measure and print one line a figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--binder", action="store_true", help="measure what Binder would build")
    options = parser.parse_args()
    rows = opening_as_on_binder() if options.binder else all_but_binder()
    for what, target, measured in rows:
        print(f"{what:<54}{target:>10}   {measured}")


if __name__ == "__main__":
    main()
