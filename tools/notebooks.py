"""Build the notebooks and their solved copies, or check that they are as a build leaves them.

    python tools/notebooks.py build             # every notebook of notebooks/
    python tools/notebooks.py build 00_start_here
    python tools/notebooks.py check             # executes nothing
    python tools/notebooks.py link              # writes the links anew; executes nothing
    python tools/notebooks.py link --repository ada/labkit

A build executes a shipped notebook, makes its solved copy by putting the reference solutions into
the exercise cells, executes that too, and stores both in normal form: what JupyterLab would save,
less everything that differs from run to run or from machine to machine. Where a cell's outputs say
the same as the stored ones, wall-clock figures and pictures aside, the stored ones stay, so that a
second build changes nothing. After a change that only pictures show, build with ``--fresh``.

A notebook begins with a line of links: to the lessons before and after it, and to where it can be
opened. A build writes that line; ``link`` writes it alone, and the README's badge, once the
repository of the course has another name.
"""

from __future__ import annotations

import argparse
import ast
import base64
import copy
import inspect
import os
import re
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets import default

ROOT = Path(__file__).resolve().parent.parent
# Run as a script, the folder of this file is on the path and the package may not be.
sys.path.insert(0, str(ROOT))

from tools import links  # noqa: E402

NOTEBOOKS = ROOT / "notebooks"
SANITIZERS = ROOT / "tests" / "nbval_sanitize.cfg"

CELL_TIMEOUT = 60
"""Seconds that one cell may take."""

METADATA: dict[str, Any] = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    # What JupyterLab writes, less the Python version: it is the reader's, not the notebook's.
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
PICTURES = {"image/png", "image/jpeg"}
PNG_CHATTER = {b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf"}

FILE_LINK = re.compile(r"\]\((?!#|/|[a-z]+:|[^)]*\.ipynb)([^)\s]+)\)")
"""A Markdown link or picture that leads to a file beside the notebook."""

LESSON_LINK = re.compile(r"(\blab/tree/notebooks/)(?=[\w.-]+\.ipynb)")
"""The part of an address at which the folder of a lesson that can be opened ends."""

LINKS = "links"
"""The id of the cell that leads to other lessons, and to where this one can be opened."""

Notebook = Any  # nbformat's NotebookNode, which has no types
Cell = Any
References = Mapping[str, Callable[..., Any]]


# --- normal form ------------------------------------------------------------------------------


def read(path: Path) -> Notebook:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)


def dumps(notebook: Notebook) -> str:
    """The text that JupyterLab would save for a notebook."""
    text: str = nbformat.writes(notebook)
    return text if text.endswith("\n") else text + "\n"


def normalize(notebook: Notebook) -> Notebook:
    """A copy of a notebook in normal form."""
    notebook = copy.deepcopy(notebook)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(METADATA)
    for count, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = count
        cell.outputs = list(_normal_outputs(cell.outputs, count))
    for cell in notebook.cells:
        cell.source = cell.source.rstrip("\n")
        for of_the_run in ("execution", "collapsed", "trusted"):
            cell.metadata.pop(of_the_run, None)
    return notebook


def code_cells(notebook: Notebook) -> list[Cell]:
    """The code cells of a notebook, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _normal_outputs(outputs: Sequence[Any], count: int) -> Iterator[Any]:
    previous = None
    for output in outputs:
        if output.output_type == "stream":
            if previous is not None and previous.get("name") == output.name:
                previous.text += output.text
                continue
        elif "data" in output:
            output.data.pop(WIDGET_VIEW, None)
            output.metadata.pop(WIDGET_VIEW, None)
            if not output.data:
                continue
            if "image/png" in output.data:
                output.data["image/png"] = _quiet_png(output.data["image/png"])
            if output.output_type == "execute_result":
                output.execution_count = count
        yield output
        previous = output


def _quiet_png(encoded: str) -> str:
    """A base64 PNG without its text and time chunks, which name versions and dates."""
    data = base64.b64decode(encoded)
    kept, at = [data[:8]], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        end = at + 12 + length
        if data[at + 4 : at + 8] not in PNG_CHATTER:
            kept.append(data[at:end])
        at = end
    ending = "\n" if encoded.endswith("\n") else ""
    return base64.b64encode(b"".join(kept)).decode() + ending


# --- faults -----------------------------------------------------------------------------------


def source_faults(notebook: Notebook) -> list[str]:
    """What is wrong with the cells as they are written, one sentence for each fault."""
    faults = []
    seen: set[str] = set()
    for place, cell in enumerate(notebook.cells, start=1):
        where = f"cell {place}"
        if not cell.source.strip():
            faults.append(f"{where} is empty.")
        if not cell.get("id") or cell.id in seen:
            faults.append(f"{where} has no id of its own.")
        seen.add(cell.get("id", ""))
        if cell.cell_type == "code":
            faults += [f"{where} {fault}" for fault in _code_faults(cell)]
    return faults


def _code_faults(cell: Cell) -> Iterator[str]:
    if _ends_in_semicolon(cell.source):
        yield "ends in a semicolon, which a run outside Jupyter does not honour: assign the value."
    for word in ("clear_output", "update_display", "display_id"):
        if re.search(rf"\b{word}\b", cell.source):
            yield f"uses {word}, which cannot be stored: show the last state once."
    if "NBVAL_" in cell.source:
        yield "has an nbval comment: use a tag, with the reason in the cell's metadata."
    tags = cell.metadata.get("tags", [])
    if "nbval-skip" in tags:
        yield "is skipped by nbval: every cell runs."
    if "nbval-ignore-output" in tags and not labkit_data(cell).get("nbval"):
        yield 'is exempt from comparison without a reason in its metadata {"labkit": {"nbval": …}}.'
    if ("exercise" in tags) != ("exercise" in labkit_data(cell)):
        yield 'needs both the tag "exercise" and the id in its metadata, or neither.'


def _ends_in_semicolon(source: str) -> bool:
    lines = [line for line in source.splitlines() if line.strip()]
    return bool(lines) and lines[-1].split("#")[0].rstrip().endswith(";")


def output_faults(notebook: Notebook) -> list[str]:
    """What stands in the outputs and must not be stored, one sentence for each fault."""
    here = {ROOT, Path.home(), Path(sys.prefix)} - {Path("/")}
    paths = [re.escape(str(path)) for path in sorted(here)]
    paths += ["/home/", "/root/", "/tmp/", "/Users/", r"[A-Z]:\\Users", "site-packages"]
    forbidden = {
        "|".join(paths): "a path of one machine",
        r"\b0x[0-9a-fA-F]{6,}": "the address of an object",
    }
    faults = []
    for place, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                faults.append(f"cell {place} prints to stderr: {output.text.strip()[:80]!r}.")
            for text in _texts(output):
                for pattern, what in forbidden.items():
                    if found := re.search(pattern, text):
                        around = text[max(found.start() - 30, 0) : found.end() + 30]
                        faults.append(f"cell {place} shows {what}: {around!r}.")
    return faults


def _texts(output: Any) -> Iterator[str]:
    if "text" in output:
        yield output.text
    for mime, value in output.get("data", {}).items():
        if mime not in PICTURES:
            yield value if isinstance(value, str) else repr(value)
    if "traceback" in output:
        yield "\n".join(output.traceback)


def check(path: Path, references: References) -> list[str]:
    """What is wrong with a shipped notebook and with its solved copy.

    Args:
        path: The shipped notebook.
        references: The reference solution of each exercise id.

    Returns:
        One sentence for each fault.
    """
    shipped = read(path)
    faults = file_faults(path)
    if shipped.cells[:1] != linked(shipped, path).cells[:1]:
        faults.append(f"{path} does not begin with its links: `python tools/notebooks.py link`.")
    copied = solved_path(path)
    if not copied.exists():
        return [*faults, f"{copied} is missing. {_mend(path)}"]
    faults += file_faults(copied)
    difference = _first_difference(
        _sources(solved(normalize(shipped), references)), _sources(read(copied))
    )
    if difference:
        faults.append(f"{copied} is not what its notebook gives: {difference}. {_mend(path)}")
    return faults


def file_faults(path: Path) -> list[str]:
    """What is wrong with one notebook file by itself, one sentence for each fault."""
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    faults = [f"{path}: {it}" for it in (*source_faults(notebook), *output_faults(notebook))]
    difference = _first_difference(dumps(normalize(notebook)).splitlines(), text.splitlines())
    if difference or not text.endswith("\n"):
        faults.append(f"{path} is not in normal form: {difference}. {_mend(path)}")
    return faults


def _mend(path: Path) -> str:
    return f"`python tools/notebooks.py build {path.stem}` mends it"


def _sources(notebook: Notebook) -> list[str]:
    return [
        f"{cell.cell_type} {cell.id} {dict(cell.metadata)}\n{cell.source}"
        for cell in notebook.cells
    ]


def _first_difference(wanted: list[str], seen: list[str]) -> str:
    for place, (want, see) in enumerate(zip(wanted, seen, strict=False), start=1):
        if want != see:
            at = next((i for i, (a, b) in enumerate(zip(want, see, strict=False)) if a != b), 0)
            start = max(at - 20, 0)
            return f"at {place}, wanted {want[start:][:80]!r}, seen {see[start:][:80]!r}"
    if len(wanted) != len(seen):
        return f"wanted {len(wanted)} parts, seen {len(seen)}"
    return ""


# --- exercises --------------------------------------------------------------------------------


def labkit_data(cell: Cell) -> dict[str, Any]:
    """What a cell's metadata says to labkit."""
    data: dict[str, Any] = cell.metadata.get("labkit", {})
    return data


def exercise_id(cell: Cell) -> str | None:
    """The exercise that a cell holds, if any."""
    return labkit_data(cell).get("exercise")


def course_references() -> References:
    """The reference solutions of the course, by exercise id."""
    from labkit.checks import exercises

    return {id: exercise.reference for id, exercise in exercises.items()}


def solved(notebook: Notebook, references: References) -> Notebook:
    """A copy of a notebook with the reference solutions in its exercise cells.

    The copy stands one folder deeper: its links to other notebooks lead to their solved copies,
    those to other files lead back to the one file there is.

    Raises:
        KeyError: When the notebook names an exercise that has no reference.
    """
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = FILE_LINK.sub(r"](../\1)", cell.source)
            cell.source = LESSON_LINK.sub(r"\1solutions/", cell.source)
        elif id := exercise_id(cell):
            cell.source = inspect.getsource(references[id]).rstrip()
    return notebook


def solved_path(path: Path) -> Path:
    """Where the solved copy of a shipped notebook stands."""
    return path.parent / "solutions" / path.name


def stub(reference: Callable[..., Any]) -> str:
    """What the learner starts from: the signature, the first sentence, and a hole."""
    source = inspect.getsource(reference)
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    head = source.splitlines()[: function.body[0].lineno - 1]
    sentence = re.split(r"(?<=\.)\s", " ".join((ast.get_docstring(function) or "").split()))[0]
    return "\n".join([*head, f'    """{sentence}"""', "    raise NotImplementedError  # your code"])


# --- links ------------------------------------------------------------------------------------


def title(path: Path) -> str:
    """The heading of a notebook, without its number; its stem where there is none."""
    for cell in read(path).cells:
        if found := re.match(r"# (?:\d+ · )?(.+)", cell.source):
            return found[1]
    return path.stem


def linked(notebook: Notebook, path: Path) -> Notebook:
    """A copy of a shipped notebook that begins with its line of links.

    Args:
        notebook: The notebook.
        path: Where it stands, between the lessons before and after it.
    """
    notebook = copy.deepcopy(notebook)
    lessons = sorted(path.parent.glob("*.ipynb"))
    at = lessons.index(path)
    file = f"notebooks/{path.name}"
    parts = [f"[← {title(it)}]({it.name})" for it in lessons[:at][-1:]]
    parts += [f"[{title(it)} →]({it.name})" for it in lessons[at + 1 :][:1]]
    parts.append(
        f"open [in Binder]({links.on_binder(file, links.repository())}), in the cloud, or"
        f" [in JupyterLab]({links.on_this_machine(file)}), where one runs on your machine"
    )
    cell = nbformat.v4.new_markdown_cell(f"<small>{' · '.join(parts)}</small>", id=LINKS)
    notebook.cells = [cell, *(it for it in notebook.cells if it.id != LINKS)]
    return notebook


def link(path: Path, references: References) -> list[Path]:
    """Write the links of a shipped notebook and of its solved copy anew, and nothing else.

    Args:
        path: The shipped notebook.
        references: The reference solution of each exercise id.

    Returns:
        The files that changed.
    """
    shipped = linked(read(path), path)
    todo = {path: shipped}
    if (copied := solved_path(path)).exists():
        todo[copied] = read(copied)
        others = (it for it in todo[copied].cells if it.id != LINKS)
        todo[copied].cells = [solved(shipped, references).cells[0], *others]
    return [target for target, notebook in todo.items() if _write(target, dumps(notebook))]


def link_readme(readme: Path = links.README) -> list[Path]:
    """Write the badge of the README anew; the file, if it changed."""
    text = links.with_badge(readme.read_text(encoding="utf-8"), links.repository())
    return [readme] if _write(readme, text) else []


# --- execution --------------------------------------------------------------------------------


class ThisPython(KernelSpecManager):
    """Knows one kernel: the Python that runs this file, whatever else is installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """The kernel of this Python, under any name."""
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


class ThisPythonKernel(AsyncKernelManager):
    """Starts kernels of this Python alone."""

    @default("kernel_spec_manager")
    def _kernel_spec_manager(self) -> KernelSpecManager:
        return ThisPython(parent=self)


def execute(notebook: Notebook, folder: Path) -> Notebook:
    """A copy of a notebook with the outputs of a fresh run.

    Args:
        notebook: What to run.
        folder: The kernel's working directory.

    Raises:
        CellExecutionError: When a cell raises.
    """
    notebook = copy.deepcopy(notebook)
    # A key or a setting of whoever builds must not reach what is stored.
    private = ("ANTHROPIC_", "LABKIT_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(private)}
    # How long the SDK takes to load is this machine's affair and no output of a cell.
    env["LABKIT_QUIET"] = "1"
    # A build is nobody's progress.
    env["LABKIT_PROGRESS"] = "off"
    NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=ThisPythonKernel,
        timeout=CELL_TIMEOUT,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    ).execute(env=env, stderr=subprocess.DEVNULL)  # only the kernel's own chatter goes there
    return notebook


def sanitizers() -> list[tuple[str, str]]:
    """What nbval replaces before it compares, as pairs of pattern and replacement."""
    text = SANITIZERS.read_text(encoding="utf-8")
    return re.findall(r"^regex: (.*)\nreplace: (.*)$", text, flags=re.MULTILINE)


def keep_outputs(new: Notebook, stored: Notebook) -> Notebook:
    """A copy of a new run that keeps each stored output which the new one only says again.

    Outputs are kept up to the first code cell whose source has changed: what comes after it may
    show something new in its pictures alone.
    """
    new, stored = copy.deepcopy(new), normalize(stored)
    patterns = sanitizers()
    for cell, old in zip(code_cells(new), code_cells(stored), strict=False):
        if (cell.id, cell.source) != (old.id, old.source):
            break
        if _gist(cell.outputs, patterns) == _gist(old.outputs, patterns):
            cell.outputs = old.outputs
    return new


def _gist(outputs: Sequence[Any], patterns: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """What outputs say, pictures and wall-clock figures aside."""

    def sanitize(value: Any) -> Any:
        if isinstance(value, str):
            for pattern, replacement in patterns:
                value = re.sub(pattern, replacement, value)
        return value

    gists = []
    for output in outputs:
        gist = {key: sanitize(value) for key, value in output.items() if key != "metadata"}
        if "data" in gist:
            # That there is a picture is compared, what it shows is not.
            gist["data"] = {
                mime: None if mime in PICTURES else sanitize(value)
                for mime, value in output.data.items()
            }
        gists.append(gist)
    return gists


class Unbuilt(Exception):
    """A notebook that was left as it was; the message says why."""


def build(path: Path, references: References, *, fresh: bool = False) -> list[Path]:
    """Execute a shipped notebook and its solved copy, and store both.

    Nothing is stored unless all of it is in order.

    Args:
        path: The shipped notebook.
        references: The reference solution of each exercise id.
        fresh: Store the new outputs even where they say the same as the stored ones.

    Returns:
        The files that changed.

    Raises:
        Unbuilt: When something is wrong with a cell, or a cell raised.
    """
    try:
        shipped = normalize(linked(read(path), path))
        todo = {path: shipped, solved_path(path): solved(shipped, references)}
    except KeyError as missing:
        raise Unbuilt(f"{path}: there is no reference for exercise {missing}.") from missing
    if faults := source_faults(shipped):
        raise Unbuilt("\n".join(f"{path}: {fault}" for fault in faults))
    built = {}
    for target, notebook in todo.items():
        target.parent.mkdir(exist_ok=True)
        try:
            ran = normalize(execute(notebook, target.parent))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise Unbuilt(f"{target}: a cell did not run.\n{error}") from error
        if faults := output_faults(ran):
            raise Unbuilt("\n".join(f"{target}: {fault}" for fault in faults))
        if target.exists() and not fresh:
            ran = keep_outputs(ran, read(target))
        built[target] = dumps(ran)
    return [target for target, text in built.items() if _write(target, text)]


def _write(path: Path, text: str) -> bool:
    """Replace a file in one step, if its text changes; says whether it did."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return True


# --- the command ------------------------------------------------------------------------------


def shipped_paths(names: Sequence[str] = (), folder: Path = NOTEBOOKS) -> list[Path]:
    """The shipped notebooks that are named by path or by stem; all of them without a name.

    Raises:
        FileNotFoundError: When there is no such notebook.
    """
    if not names:
        return sorted(folder.glob("*.ipynb"))
    paths = []
    for name in names:
        path = Path(name) if name.endswith(".ipynb") else folder / f"{name}.ipynb"
        if not path.exists():
            known = ", ".join(it.stem for it in sorted(folder.glob("*.ipynb")))
            raise FileNotFoundError(f"there is no notebook {name!r}; there are {known}")
        paths.append(path)
    return paths


def orphans(folder: Path = NOTEBOOKS) -> list[Path]:
    """Solved copies whose shipped notebook is gone."""
    copies = sorted((folder / "solutions").glob("*.ipynb"))
    return [copied for copied in copies if not (folder / copied.name).exists()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("action", nargs="?", choices=("build", "check", "link"), default="build")
    parser.add_argument("names", nargs="*", help="paths or stems of shipped notebooks; default all")
    parser.add_argument("--fresh", action="store_true", help="keep no stored output")
    parser.add_argument(
        "--repository",
        metavar="OWNER/NAME",
        help="with link: where the course is published from now on",
    )
    options = parser.parse_args(arguments)
    try:
        paths = shipped_paths(options.names)
        if options.repository is not None:
            if options.action != "link" or options.names:
                raise ValueError("--repository goes with `link`, and concerns every notebook")
            links.rename(options.repository)
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    references = course_references()
    faults = []
    if options.action == "link":
        changed = [*link_readme(), *(it for path in paths for it in link(path, references))]
        print(f"{len(changed)} files changed")
        return 0
    for path in paths:
        if options.action == "check":
            faults += check(path, references)
            continue
        try:
            changed = build(path, references, fresh=options.fresh)
        except Unbuilt as error:
            faults.append(str(error))
        else:
            print(f"{path.stem}: {len(changed)} of 2 files changed", flush=True)
    if not options.names:
        faults += [f"{orphan} has no shipped notebook: delete it." for orphan in orphans()]
    for fault in faults:
        print(fault, file=sys.stderr)
    if options.action == "check" and not faults:
        print(f"{len(paths)} notebooks and their solved copies are in order")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
