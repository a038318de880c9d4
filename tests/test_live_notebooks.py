"""The nine lessons, and the SDK itself, on a Messages API that is not ours: llmock, from PyPI.

llmock is installed into an environment of its own: its pytest plugin has no business in this one.
It says the same few sentences to everybody, and answers schemas and tools with what is valid.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Protocol

import anthropic
import nbformat
import pytest
from nbclient import NotebookClient

from labkit import Budget, OverBudget, connect, record
from labkit.client import _said
from labkit.live import spending
from labkit.patterns import MODEL, ask, classify, run_tools
from tests.service import Answer, Seen, Service, message, served
from tools import notebooks

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parent.parent
LLMOCK = "llmock==0.2.2"
KEY = "sk-ant-a-key-that-must-not-be-seen"
LATENCY = 100
"""Milliseconds that each answer takes: well over what a call costs the client and the server."""

AT_ONCE = 2
"""Notebooks that run at once, each with a server of its own."""

SLOWEST_FIRST = ["07", "08", "04", "05", "06", "02", "00", "01", "03"]


# --- the server -------------------------------------------------------------------------------


class Api:
    """A running llmock."""

    def __init__(self, port: int) -> None:
        self._admin = f"http://127.0.0.1:{port}/_llmock"
        self.url = f"http://127.0.0.1:{port}/anthropic"
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._admin + path, data, method=method)
        with self._open(request, timeout=10) as response:
            return json.load(response)

    def is_up(self) -> bool:
        try:
            self._ask("GET", "/scenario")
        except OSError:
            return False
        return True

    def reset(self) -> None:
        self._ask("POST", "/reset", {})

    def will(self, *behaviors: dict[str, Any]) -> None:
        """Have the next requests go so."""
        self._ask("POST", "/scenario", {"behaviors": behaviors})

    def calls(self) -> list[dict[str, Any]]:
        """Every request for a message that arrived, oldest first."""
        seen = self._ask("GET", "/requests")["requests"]
        return [one for one in seen if one["path"].endswith("/v1/messages")]

    def most_at_once(self) -> int:
        calls = self.calls()
        return max(
            (
                sum(o["started_at"] <= one["started_at"] < o["ended_at"] for o in calls)
                for one in calls
            ),
            default=0,
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def install(folder: Path, python: Path) -> None:
    """Put llmock into an environment of its own, by uv where there is one: it is the quicker."""
    uv = shutil.which("uv")
    commands: list[list[Any]] = [
        [sys.executable, "-m", "venv", *(["--without-pip"] if uv else []), folder],
        [uv, "pip", "install", "--quiet", "--python", python, LLMOCK]
        if uv
        else [python, "-m", "pip", "install", "--quiet", LLMOCK],
    ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def apis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Api]]:
    folder = tmp_path_factory.mktemp("llmock")
    python = folder / "bin" / "python"
    install(folder, python)
    env = {**os.environ, "LLMOCK_LATENCY_MS": str(LATENCY), "LLMOCK_RESPONSE_STYLE": "varied"}
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(AT_ONCE):
            port = free_port()
            server = subprocess.Popen(
                [python, "-I", ROOT / "tests" / "mock_api.py", str(port)], env=env
            )
            stack.callback(server.wait)
            stack.callback(server.terminate)
            found.append(Api(port))
        give_up = time.monotonic() + 60
        while not all(api.is_up() for api in found):
            assert time.monotonic() < give_up, "llmock did not start"
            time.sleep(0.1)
        yield found


# --- the SDK ----------------------------------------------------------------------------------


@pytest.fixture
def api(apis: list[Api], monkeypatch: pytest.MonkeyPatch) -> Api:
    """A live session on a server with nothing in its journal."""
    for name in [n for n in os.environ if n.startswith(("ANTHROPIC_", "LABKIT_"))]:
        monkeypatch.delenv(name)
    for name in [n for n in os.environ if n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", apis[0].url)
    monkeypatch.setenv("LABKIT_LIVE", "1")
    monkeypatch.setenv("LABKIT_PROGRESS", "off")
    monkeypatch.setattr(spending, "_session", None)
    _said.clear()
    apis[0].reset()
    return apis[0]


async def streamed(client: anthropic.AsyncAnthropic) -> str:
    turn: Any = {"role": "user", "content": "Name a city."}
    async with client.messages.stream(model=MODEL, max_tokens=50, messages=[turn]) as stream:
        return "".join([text async for text in stream.text_stream])


async def counted(client: anthropic.AsyncAnthropic) -> int:
    turn: Any = {"role": "user", "content": "Name a city."}
    return (await client.messages.count_tokens(model=MODEL, messages=[turn])).input_tokens


def asked(work: Any, client: anthropic.AsyncAnthropic) -> Any:
    async def closed() -> Any:
        async with client:
            return await work(client)

    return asyncio.run(closed())


def test_a_call_is_answered_recorded_and_paid_for(api: Api) -> None:
    with record() as trace:
        said = asked(lambda client: ask(client, "Name a city."), connect())
    [call] = trace.calls
    assert MODEL in said or "LLMock" in said
    assert (call.outcome, len(api.calls()), spending.budget().sent) == ("ok", 1, 1)
    assert call.tokens_out > 0
    assert spending.budget().spent == pytest.approx(trace.dollars)


def test_a_stream_is_the_same_to_the_budget(api: Api) -> None:
    with record() as trace:
        said = asked(streamed, connect())
    assert said
    assert [one["stream"] for one in api.calls()] == [True]
    assert 0 < spending.budget().spent == pytest.approx(trace.dollars)


def test_a_tool_is_asked_for_and_its_result_taken(api: Api) -> None:
    task = {"type": "object", "properties": {"task": {"type": "string"}}, "required": ["task"]}
    tool: Any = {"name": "data", "description": "Judge the data.", "input_schema": task}
    turns: list[Any] = [{"role": "user", "content": "What becomes of the data?"}]

    async def both(client: anthropic.AsyncAnthropic) -> Any:
        wants = await client.messages.create(
            model=MODEL, max_tokens=200, messages=turns, tools=[tool]
        )
        results: Any = await run_tools(client, wants.content, {"data": "You judge data."})
        turns.extend([{"role": "assistant", "content": wants.content}])
        turns.extend([{"role": "user", "content": results}])
        return wants, await client.messages.create(
            model=MODEL, max_tokens=200, messages=turns, tools=[tool]
        )

    wants, told = asked(both, connect())
    assert (wants.stop_reason, told.stop_reason) == ("tool_use", "end_turn")
    assert len(api.calls()) == spending.budget().sent == 3


def test_a_schema_binds_the_reply(api: Api) -> None:
    routes = ["billing", "shipping"]
    chosen = asked(lambda client: classify(client, "Where is my parcel?", routes), connect())
    assert chosen in routes
    [call] = api.calls()
    schema = call["body"]["output_config"]["format"]["schema"]
    assert schema["properties"]["route"]["enum"] == routes


def test_what_it_does_not_have_is_told_and_costs_nothing(api: Api) -> None:
    """Of llmock, the counting of tokens."""
    with pytest.raises(anthropic.NotFoundError, match="has nothing at this address"):
        asked(counted, connect())
    assert (spending.budget().sent, spending.budget().spent) == (0, 0)


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (429, anthropic.RateLimitError, "rate limit is reached"),
        (500, anthropic.InternalServerError, "nothing is wrong here"),
        (529, anthropic.OverloadedError, "overloaded"),
    ],
)
def test_a_refusal_comes_with_advice_and_costs_nothing(
    status: int, kind: type[Exception], advice: str, api: Api
) -> None:
    api.will({"type": "fail", "status": status, "retry_after": 7})
    with record() as trace, pytest.raises(kind, match=advice) as caught:
        asked(lambda client: ask(client, "hello"), connect().with_options(max_retries=0))
    assert KEY not in str(caught.value)
    assert [call.outcome for call in trace.calls] == [str(status)]
    assert (spending.budget().sent, spending.budget().spent) == (1, 0)


def test_the_sdk_tries_again_and_each_try_is_a_call(api: Api) -> None:
    for status in (429, 529):
        api.will({"type": "fail", "status": status, "retry_after": 0.1})
    assert asked(lambda client: ask(client, "hello"), connect())
    assert [call["status"] for call in api.calls()] == [429, 529, 200]
    assert spending.budget().sent == 3


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("disconnect", anthropic.APIConnectionError),
        ("truncate", anthropic.APIConnectionError),
        ("malformed", json.JSONDecodeError),  # the SDK's own, bare
    ],
)
def test_a_stream_that_breaks_is_no_reply_and_counts_with_the_most(
    kind: str, error: type[Exception], api: Api
) -> None:
    api.will({"type": "stream_fault", "kind": kind, "after_chunks": 3})
    with pytest.raises(error) as caught:
        asked(streamed, connect())
    assert KEY not in str(caught.value)
    assert spending.budget().sent == len(api.calls()) == 1
    assert spending.budget().spent > 50 * 5 / 1_000_000


def test_a_budget_holds_against_a_fan_out(api: Api) -> None:
    small = Budget(dollars=1, calls=5, in_flight=2)

    async def many(client: anthropic.AsyncAnthropic) -> list[Any]:
        asking = (ask(client, f"question {number}") for number in range(9))
        return await asyncio.gather(*asking, return_exceptions=True)

    answers = asked(many, connect(budget=small))
    assert sum(isinstance(answer, OverBudget) for answer in answers) == 4
    assert len(api.calls()) == small.sent == 5
    assert api.most_at_once() == 2


# --- the notebooks ----------------------------------------------------------------------------

AT_THE_START = """
def _note():
    from labkit import budget

    shell = get_ipython()
    shell.sent_after = []
    shell.events.register("post_run_cell", lambda _: shell.sent_after.append(budget().sent))


_note()
"""
"""Note after each cell what the session has sent by then."""

AT_THE_END = """
def _account():
    import gc, json, os
    from labkit import Budget, budget
    from labkit.trace import Trace

    kept = gc.get_objects()
    budgets = [thing for thing in kept if type(thing) is Budget]
    traces = [thing for thing in kept if type(thing) is Trace]
    told = [repr(vars(call)) for trace in traces for call in trace.calls]
    return json.dumps({
        "sent_after": get_ipython().sent_after,
        "sent": sum(one.sent for one in budgets),
        "held": all(b.sent <= b.calls and b.spent <= b.dollars for b in budgets),
        "spent": budget().spent,
        "flying": sum(one._flying for one in budgets),
        "traced": len(told),
        "key in a trace": any(os.environ["ANTHROPIC_API_KEY"] in text for text in told),
    })


print(_account())
"""
"""Say what all budgets of the kernel spent, and whether a trace holds the key."""


@dataclass
class Ran:
    """A notebook that ran in a live session.

    Attributes:
        cells: Its own code cells.
        account: What its kernel said at the end.
        calls: What arrived at the server.
        most_at_once: Calls that the server worked on at once.
        folder: Where it ran.
    """

    cells: list[Any]
    account: dict[str, Any]
    calls: list[dict[str, Any]]
    most_at_once: int
    folder: Path


class Server(Protocol):
    """What a notebook is run against."""

    url: str

    def reset(self) -> None: ...
    def calls(self) -> list[Any]: ...
    def most_at_once(self) -> int: ...


class Mind:
    """A model that says something else each time, but what its request asks for.

    llmock answers equal requests alike, in a single line and one tool use. A real model thinks
    first, writes lists, wants several tools or none, and never answers twice in the same words.

    Args:
        service: The server that it answers through.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._chance = Random(5)
        self.url = service.url
        service.handler = self._answer

    def reset(self) -> None:
        self._service.seen.clear()
        self._service.most = 0

    def calls(self) -> list[Any]:
        return list(self._service.seen)

    def most_at_once(self) -> int:
        return self._service.most

    async def _answer(self, seen: Seen, answer: Answer) -> None:
        asked, blocks = seen.json, [{"type": "thinking", "thinking": "Hm.", "signature": "s"}]
        await asyncio.sleep(self._chance.uniform(0.8, 1.2) * LATENCY / 1_000)
        told = '"tool_result"' in json.dumps(asked["messages"][-1])
        if "tools" in asked and not told:
            tools = self._chance.choices(asked["tools"], k=2)
            blocks += [
                {
                    "type": "tool_use",
                    "id": f"toolu_{place}",
                    "name": tool["name"],
                    "input": self._valid(tool["input_schema"]),
                }
                for place, tool in enumerate(tools)
            ]
            await answer.send(200, message(content=blocks, stop_reason="tool_use"))
            return
        schema = asked.get("output_config", {}).get("format", {}).get("schema")
        steps = [f"{n}. **Step {self._chance.random():.6f}**" for n in range(1, 5)]
        text = json.dumps(self._valid(schema)) if schema else "\n".join(["Here it is:", *steps])
        await answer.send(200, message(content=[*blocks, {"type": "text", "text": text}]))

    def _valid(self, schema: Any) -> Any:
        if "enum" in schema:
            return self._chance.choice(schema["enum"])
        if schema["type"] == "object":
            return {name: self._valid(one) for name, one in schema["properties"].items()}
        return f"{self._chance.random():.6f}"


def environment(api: Server, progress: Path) -> dict[str, str]:
    private = ("ANTHROPIC_", "LABKIT_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(private) and not name.lower().endswith("_proxy")
    }
    return kept | {
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": api.url,
        "LABKIT_LIVE": "1",
        "LABKIT_PROGRESS": str(progress),
    }


async def ran(path: Path, folder: Path, api: Server) -> Ran:
    """Run a notebook in a copy of the tree."""
    tree = folder / "notebooks"
    await asyncio.to_thread(shutil.copytree, ROOT / "notebooks", tree)
    notebook = copy.deepcopy(notebooks.read(path))
    own = notebooks.code_cells(notebook)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(AT_THE_START))
    notebook.cells.append(nbformat.v4.new_code_cell(AT_THE_END))
    api.reset()
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=notebooks.ThisPythonKernel,
        timeout=60,
        allow_errors=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(tree / path.parent.relative_to(ROOT / "notebooks"))}},
    )
    await client.async_execute(
        env=environment(api, folder / "progress.json"), stderr=subprocess.DEVNULL
    )
    told = "".join(output.text for output in notebook.cells[-1].outputs)  # it may come in parts
    return Ran(own, json.loads(told), api.calls(), api.most_at_once(), folder)


BY_NUMBER = {path.stem[:2]: path for path in notebooks.shipped_paths()}
WANTED = {
    **{f"solved {number}": notebooks.solved_path(BY_NUMBER[number]) for number in SLOWEST_FIRST},
    "a mind 07": notebooks.solved_path(BY_NUMBER["07"]),
    "a mind 02": BY_NUMBER["02"],
    "shipped 00": BY_NUMBER["00"],
}
"""What is run, as shipped and solved, on llmock and on a `Mind`."""


@pytest.fixture(scope="module")
def all_ran(apis: list[Api], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """Every notebook, run, as many at once as there are servers."""
    left, found = list(WANTED.items()), {}

    async def lane(api: Api, mind: Mind) -> None:
        while left:
            name, path = left.pop(0)
            server = mind if name.startswith("a mind") else api
            found[name] = await ran(path, tmp_path_factory.mktemp(path.stem), server)

    async def all_lanes(minds: list[Mind]) -> None:
        await asyncio.gather(*map(lane, apis, minds))

    with contextlib.ExitStack() as stack:
        asyncio.run(all_lanes([Mind(stack.enter_context(served())) for _ in apis]))
    return found


each = pytest.mark.parametrize("name", WANTED)


def test_every_lesson_is_run() -> None:
    assert sorted(BY_NUMBER) == sorted(SLOWEST_FIRST)


@each
def test_no_cell_fails(name: str, all_ran: dict[str, Ran]) -> None:
    failed = [
        f"{cell.id}: {output.ename}: {output.evalue}"
        for cell in all_ran[name].cells
        for output in cell.outputs
        if output.output_type == "error"
    ]
    assert not failed, "\n".join(failed)


@each
def test_nothing_is_said_on_the_error_stream(name: str, all_ran: dict[str, Ran]) -> None:
    said = [o.text for c in all_ran[name].cells for o in c.outputs if o.get("name") == "stderr"]
    assert not said


@each
def test_the_budget_counts_what_the_server_counts(name: str, all_ran: dict[str, Ran]) -> None:
    one = all_ran[name]
    assert one.account["sent"] == len(one.calls)
    assert one.account["held"]
    assert one.account["flying"] == 0
    assert one.most_at_once <= spending.Budget().in_flight


@each
def test_what_stays_scripted_sends_nothing(name: str, all_ran: dict[str, Ran]) -> None:
    one = all_ran[name]
    after = one.account["sent_after"]
    # The cell that registers the note is the first that it notes.
    assert len(after) == len(one.cells) + 1
    sent = {
        cell.id: after[place + 1] - after[place]
        for place, cell in enumerate(one.cells)
        if "scripted-only" in cell.metadata.get("tags", [])
    }
    assert not {id: calls for id, calls in sent.items() if calls}


@each
def test_the_key_is_nowhere(name: str, all_ran: dict[str, Ran]) -> None:
    one = all_ran[name]
    assert KEY not in json.dumps(one.cells)
    assert not one.account["key in a trace"]
    files = [path for path in one.folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_the_lessons_that_can_do_call_the_api(all_ran: dict[str, Ran]) -> None:
    """Which lessons a real model plays in; the others need their faults and seconds on demand."""
    live = {
        name.removeprefix("solved ")
        for name, one in all_ran.items()
        if one.calls and name.startswith("solved ")
    }
    assert live == {"00", "01", "02", "05", "06", "07", "08"}


def test_a_scripted_scene_says_so(all_ran: dict[str, Ran]) -> None:
    said = [
        cell.id
        for cell in all_ran["solved 00"].cells
        for output in cell.outputs
        if "scripted-only:" in output.get("text", "")
    ]
    assert "break-code" in said


def test_the_last_lesson_spends_from_a_budget_of_its_own(all_ran: dict[str, Ran]) -> None:
    one = all_ran["solved 08"]
    texts = {c.id: "".join(o.get("text", "") for o in c.outputs) for c in one.cells}
    assert one.account["spent"] == 0
    assert "2 of 20 calls" in texts["live-spent"]
    assert "Nothing was sent." in texts["live-refused"]
    assert texts["live-refused"].splitlines()[-1] == texts["live-spent"].strip()
    assert len(one.calls) == 2
