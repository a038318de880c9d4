"""The notebook tool, on notebooks of a few cells."""

from __future__ import annotations

import base64
import inspect
import struct
import zlib
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import notebooks


async def double(number: int, *, by: int = 2) -> int:
    """Double a number. The rest would give the method away.

    Args:
        number: What to double.
        by: How often it is taken.
    """
    return number * by


REFERENCES = {"9.1": double}

STUB = '''async def double(number: int, *, by: int = 2) -> int:
    """Double a number."""
    raise NotImplementedError  # your code'''


def png(text: bytes = b"") -> str:
    """A picture of one pixel, with a chunk of text."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0\0")), chunk(b"IEND", b"")]
    if text:
        chunks.insert(1, chunk(b"tEXt", text))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def exercise(source: str = STUB) -> Any:
    return new_code_cell(
        source, id="ex", metadata={"tags": ["exercise"], "labkit": {"exercise": "9.1"}}
    )


def write(path: Path, *cells: Any) -> Path:
    nbformat.write(new_notebook(cells=list(cells)), path)
    return path


def outputs(path: Path) -> list[Any]:
    return [cell.outputs for cell in notebooks.code_cells(notebooks.read(path))]


# --- normal form ------------------------------------------------------------------------------


def test_normal_form_drops_what_belongs_to_a_run() -> None:
    cell = new_code_cell(
        "1",
        execution_count=7,
        metadata={"execution": {"iopub.execute_input": "2026-01-01"}, "trusted": True},
        outputs=[new_output("execute_result", {"text/plain": "1"}, execution_count=7)],
    )
    notebook = new_notebook(
        cells=[new_markdown_cell("# a"), cell],
        metadata={"widgets": {"state": {}}, "language_info": {"name": "x", "version": "3.11.7"}},
    )
    normal = notebooks.normalize(notebook)
    assert normal.metadata == notebooks.METADATA
    assert normal.cells[1].execution_count == 1
    assert normal.cells[1].outputs[0].execution_count == 1
    assert normal.cells[1].metadata == {}
    assert [it.id for it in normal.cells] == [it.id for it in notebook.cells]


def test_normal_form_keeps_the_picture_that_a_widget_leaves() -> None:
    view = {notebooks.WIDGET_VIEW: {"model_id": "1"}}
    bundle = {"image/png": png(b"Software\0x"), "text/plain": "4 calls", **view}
    cell = new_code_cell("x", outputs=[new_output("display_data", bundle)])
    bare = new_code_cell("y", outputs=[new_output("display_data", dict(view))])
    kept, gone = notebooks.normalize(new_notebook(cells=[cell, bare])).cells
    assert kept.outputs[0].data == {"image/png": png(), "text/plain": "4 calls"}
    assert gone.outputs == []


def test_normal_form_joins_what_was_printed_in_pieces() -> None:
    pieces = [new_output("stream", name="stdout", text=text) for text in ("a\n", "b\n")]
    cell = new_code_cell("x", outputs=pieces)
    (joined,) = notebooks.normalize(new_notebook(cells=[cell])).cells[0].outputs
    assert joined.text == "a\nb\n"


def test_normal_form_is_a_fixed_point() -> None:
    once = notebooks.normalize(new_notebook(cells=[new_code_cell("x\n")]))
    assert notebooks.dumps(notebooks.normalize(once)) == notebooks.dumps(once)


# --- faults -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        (new_code_cell("plot();"), "semicolon"),
        (new_code_cell("plot();  # draw"), "semicolon"),
        (new_code_cell("clear_output(wait=True)"), "clear_output"),
        (new_code_cell("display(x, display_id=True)"), "display_id"),
        (new_code_cell("# NBVAL_SKIP\nx"), "nbval comment"),
        (new_code_cell("x", metadata={"tags": ["nbval-skip"]}), "every cell runs"),
        (new_code_cell("x", metadata={"tags": ["nbval-ignore-output"]}), "without a reason"),
        (new_code_cell("x", metadata={"tags": ["exercise"]}), "both the tag"),
        (new_code_cell("x", metadata={"labkit": {"exercise": "9.1"}}), "both the tag"),
        (new_code_cell(" \n"), "is empty"),
    ],
)
def test_a_cell_that_cannot_be_stored_is_named(cell: Any, fault: str) -> None:
    (told,) = notebooks.source_faults(new_notebook(cells=[cell]))
    assert told.startswith("cell 1 ")
    assert fault in told


@pytest.mark.parametrize(
    "output",
    [
        new_output("stream", name="stdout", text="/home/ada/notebooks"),
        new_output("stream", name="stdout", text=str(notebooks.ROOT / "labkit")),
        new_output("stream", name="stderr", text="a warning"),
        new_output("execute_result", {"text/plain": "<object at 0x7f3a5c0d1e20>"}),
        new_output("display_data", {"text/html": "<b>0x7f3a5c0d1e20</b>"}),
    ],
)
def test_an_output_that_only_fits_one_machine_is_named(output: Any) -> None:
    notebook = new_notebook(cells=[new_code_cell("x", outputs=[output])])
    assert len(notebooks.output_faults(notebook)) == 1


def test_orphaned_copies_are_found(tmp_path: Path) -> None:
    (tmp_path / "solutions").mkdir()
    orphan = write(tmp_path / "solutions" / "gone.ipynb", new_markdown_cell("a"))
    assert notebooks.orphans(tmp_path) == [orphan]


def test_a_name_that_fits_no_notebook_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    path = write(tmp_path / "00_start.ipynb", new_markdown_cell("a"))
    assert notebooks.shipped_paths(["00_start"], tmp_path) == [path]
    with pytest.raises(FileNotFoundError, match="there are 00_start"):
        notebooks.shipped_paths(["01_none"], tmp_path)


# --- exercises --------------------------------------------------------------------------------


def test_a_stub_is_the_signature_the_first_sentence_and_a_hole() -> None:
    assert notebooks.stub(double) == STUB


def test_a_solved_copy_differs_in_its_exercise_cells_alone() -> None:
    notebook = new_notebook(cells=[exercise(), new_code_cell("double")])
    copied = notebooks.solved(notebook, REFERENCES)
    assert copied.cells[0].source == inspect.getsource(double).rstrip()
    assert copied.cells[1] == notebook.cells[1]
    assert notebook.cells[0].source == STUB


def test_a_solved_copy_finds_pictures_where_they_are_and_notebooks_beside_it() -> None:
    text = "![two](images/two.svg) [on](01_next.ipynb#top) [out](https://example.org) [up](#top)"
    (cell,) = notebooks.solved(new_notebook(cells=[new_markdown_cell(text)]), {}).cells
    assert cell.source == text.replace("images/", "../images/")


# --- keeping outputs --------------------------------------------------------------------------


def ran(*cells: tuple[str, str]) -> Any:
    """A notebook whose cells show a picture and print a text."""
    made = []
    for place, (source, text) in enumerate(cells):
        shown = new_output("display_data", {"image/png": png(), "text/plain": text})
        made.append(new_code_cell(source, id=f"cell-{place}", outputs=[shown]))
    return new_notebook(cells=made)


def texts(notebook: Any) -> list[str]:
    return [cell.outputs[0].data["text/plain"] for cell in notebook.cells]


def test_stored_outputs_stay_where_only_wall_clock_figures_differ() -> None:
    stored = ran(("a", "took ≈1.52 s, ≈0.34× of 3"), ("b", "4 calls"))
    new = ran(("a", "took ≈1,049.6 s, ≈12× of 3"), ("b", "5 calls"))
    assert texts(notebooks.keep_outputs(new, stored)) == ["took ≈1.52 s, ≈0.34× of 3", "5 calls"]


def test_a_figure_that_is_no_wall_clock_figure_is_stored_anew() -> None:
    new = ran(("a", "took 1.60 s"))
    assert texts(notebooks.keep_outputs(new, ran(("a", "took 1.52 s")))) == ["took 1.60 s"]


def test_outputs_below_a_changed_cell_are_stored_anew() -> None:
    stored = ran(("a", "≈1 s"), ("b", "≈1 s"), ("c", "≈1 s"))
    new = ran(("a", "≈2 s"), ("b2", "≈2 s"), ("c", "≈2 s"))
    assert texts(notebooks.keep_outputs(new, stored)) == ["≈1 s", "≈2 s", "≈2 s"]


# --- building ---------------------------------------------------------------------------------

TIMED = (
    "import random, os\nprint(f'took ≈{random.random():.3f} s in {os.path.basename(os.getcwd())}')"
)


def test_a_build_stores_both_and_a_second_one_changes_nothing(tmp_path: Path) -> None:
    path = write(
        tmp_path / "00_tiny.ipynb",
        new_code_cell(TIMED, id="timed"),
        exercise(),
        new_code_cell(
            "try:\n    print(await double(4))\nexcept NotImplementedError:\n    print('-')"
        ),
    )
    copied = tmp_path / "solutions" / path.name
    assert notebooks.check(path, REFERENCES)
    assert notebooks.build(path, REFERENCES) == [path, copied]
    assert outputs(path)[2][0].text == "-\n"
    assert outputs(copied)[2][0].text == "8\n"
    assert outputs(copied)[0][0].text.endswith("in solutions\n")
    assert notebooks.check(path, REFERENCES) == []

    assert notebooks.build(path, REFERENCES) == []
    assert notebooks.build(path, REFERENCES, fresh=True) == [path, copied]

    edited = notebooks.read(copied)
    edited.cells[0].source += " "
    copied.write_text(notebooks.dumps(edited))
    (fault,) = notebooks.check(path, REFERENCES)
    assert "is not what its notebook gives" in fault


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import sys\nprint('careful', file=sys.stderr)", "stderr"),
        ("import os\nos._exit(1)", "did not run"),
        ("object()", "address"),
    ],
)
def test_a_build_that_fails_stores_nothing(tmp_path: Path, source: str, fault: str) -> None:
    path = write(tmp_path / "00_tiny.ipynb", new_code_cell(source))
    before = path.read_bytes()
    with pytest.raises(notebooks.Unbuilt, match=fault):
        notebooks.build(path, REFERENCES)
    assert path.read_bytes() == before
    assert list(tmp_path.rglob("*.*")) == [path]
