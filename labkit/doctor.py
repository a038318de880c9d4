"""`labkit doctor`: what is wrong with an installation of the course, and what to do about it.

It reads, tries and tells; it changes nothing. What it looks at may be broken, so nothing but the
standard library is imported before it is needed.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__
from .client import live_session, look_for_key
from .errors import UsageError
from .grade.sandbox import probe
from .journal import PLACE, Journal, journal
from .look import count

if TYPE_CHECKING:
    from packaging.requirements import Requirement

FINE, NOTE, WRONG = "✓", "○", "✗"

PACKAGE = Path(__file__).resolve().parent
NAME = "labkit"
KERNEL = "python3"
"""The kernel that the course's notebooks ask for."""

WIDGETS = Path("labextensions", "@jupyter-widgets", "jupyterlab-manager", "package.json")
"""JupyterLab's half of ipywidgets, below a folder of Jupyter's data."""

KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")

IMPORTED = ("anthropic", "dask", "distributed", "httpx2", "hypothesis", "IPython", "ipykernel",
            "ipywidgets", "labkit", "matplotlib", "numpy")  # fmt: skip
"""What the notebooks import, with the standard library: a file of such a name hides it."""


@dataclass(frozen=True)
class Finding:
    """What was found out about one thing.

    Attributes:
        mark: `FINE`, `NOTE` (good to know; nothing is broken) or `WRONG`.
        what: A sentence that says how it is.
        do: A sentence that says what to do, where there is something.
    """

    mark: str
    what: str
    do: str = ""

    def __str__(self) -> str:
        return f"{self.mark} {self.what}" + (f"\n    {self.do}" if self.do else "")


# --- the interpreter and what is installed ----------------------------------------------------


def python(folder: Path) -> Iterator[Finding]:
    """Whether the course supports this Python."""
    from packaging.specifiers import SpecifierSet

    here = platform.python_version()
    supported = SpecifierSet(metadata.metadata(NAME)["Requires-Python"] or "")
    if supported.contains(here, prereleases=True):
        yield Finding(FINE, f"Python {here} is one that the course supports.")
    else:
        yield Finding(
            WRONG,
            f"Python {here} is none that the course supports: it needs {_spoken(supported)}.",
            "Make a virtual environment with such a Python, and install the course there.",
        )


def dependencies(folder: Path) -> Iterator[Finding]:
    """Whether what labkit needs is there, in versions that it allows."""
    wanted = _wanted("")
    for requirement in wanted:
        if fault := _fault(requirement):
            yield Finding(WRONG, fault, _install(requirement))
    if not any(map(_fault, wanted)):
        yield Finding(FINE, f"All {len(wanted)} dependencies are there, in versions that fit.")


def cluster(folder: Path) -> Iterator[Finding]:
    """Whether the extra for lesson 08 is there."""
    base = {str(it) for it in _wanted("")}
    for requirement in (it for it in _wanted("cluster") if str(it) not in base):
        installed = _version(requirement.name)
        if installed is None:
            yield Finding(
                NOTE,
                f"{requirement.name} is not installed: lesson 08 skips the cells that need a"
                " cluster.",
                _install(requirement),
            )
        elif fault := _fault(requirement):
            yield Finding(WRONG, fault, _install(requirement))
        else:
            yield Finding(FINE, f"{requirement.name} {installed} is there for lesson 08.")


def _wanted(extra: str) -> list[Requirement]:
    from packaging.requirements import Requirement

    wanted = map(Requirement, metadata.requires(NAME) or ())
    return [it for it in wanted if it.marker is None or it.marker.evaluate({"extra": extra})]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _fault(requirement: Requirement) -> str:
    """What is wrong with an installed package, in a sentence; empty where nothing is."""
    name, installed = requirement.name, _version(requirement.name)
    if installed is None:
        return f"{name} is not installed."
    if requirement.specifier.contains(installed, prereleases=True):
        return ""
    if name == "ipykernel" and installed.startswith(("7.0.", "7.1.", "7.2.", "7.3.")):
        return (
            f"ipykernel {installed} runs the buttons and sliders of a lesson on another event loop"
            " than its cells, so a live board or bench hangs or fails; 7.4 mended that."
        )
    return f"{name} {installed} is installed; the course needs {_spoken(requirement.specifier)}."


def _spoken(specifier: Any) -> str:
    return ", ".join(sorted(map(str, specifier), reverse=True))


def _install(requirement: Requirement) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    what = f"{requirement.name}{extras}{_spoken(requirement.specifier).replace(' ', '')}"
    return f"Install it: {_pip()} --upgrade {shlex.quote(what)}"


def _pip() -> str:
    """The command that installs into the environment of this Python."""
    if importlib.util.find_spec("pip") is None:
        return f"uv pip install --python {shlex.quote(sys.executable)}"
    return f"{shlex.quote(sys.executable)} -m pip install"


# --- what the notebooks run on ----------------------------------------------------------------


def kernel(folder: Path) -> Iterator[Finding]:
    """Whether the notebooks' kernel is the Python that labkit is in."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    place = "--user" if sys.prefix == sys.base_prefix else "--sys-prefix"
    do = f"Make one: {shlex.quote(sys.executable)} -m ipykernel install {place}"
    try:
        spec = KernelSpecManager().get_kernel_spec(KERNEL)
    except NoSuchKernel:
        yield Finding(WRONG, f"Jupyter knows no kernel {KERNEL!r}, for which notebooks ask.", do)
        return
    program = Path(spec.argv[0])
    # A bare name stands for the Python that runs the server.
    if len(program.parts) == 1 or _same_place(program, Path(sys.executable)):
        yield Finding(FINE, f"The kernel {KERNEL!r} is the Python that labkit is installed in.")
        return
    gone = "" if program.exists() else ", which is not there"
    yield Finding(
        WRONG,
        f"The kernel {KERNEL!r} is {program}{gone}, but labkit is installed in {sys.executable}:"
        f" a notebook will not find it. {Path(spec.resource_dir) / 'kernel.json'} says so.",
        do,
    )


def _same_place(one: Path, other: Path) -> bool:
    # Not the files: the Pythons of two virtual environments may be links to the same one.
    return one.parent.resolve() == other.parent.resolve()


def widgets(folder: Path) -> Iterator[Finding]:
    """Whether JupyterLab has its half of ipywidgets."""
    from jupyter_core.paths import jupyter_path

    if any((Path(place) / WIDGETS).is_file() for place in jupyter_path()):
        yield Finding(FINE, "JupyterLab has its extension for widgets.")
    else:
        yield Finding(
            WRONG,
            "JupyterLab lacks its extension for widgets: boards, buttons and sliders will show as"
            " text.",
            f"Install it again: {_pip()} --force-reinstall --no-deps jupyterlab_widgets",
        )


def bytecode(folder: Path) -> Iterator[Finding]:
    """Whether the SDK's first import has to compile it."""
    spec = importlib.util.find_spec("anthropic")
    if spec is None or spec.origin is None:
        return  # told as a missing dependency
    package = Path(spec.origin).parent
    files = list(package.rglob("*.py"))
    raw = [file for file in files if not Path(importlib.util.cache_from_source(file)).exists()]
    if len(raw) * 10 < len(files):
        yield Finding(FINE, "The SDK is compiled, so that it imports in a second or two.")
        return
    if sys.dont_write_bytecode:
        why = "since PYTHONDONTWRITEBYTECODE is set"
    elif trouble := _trouble_in(package):
        why = f"since nothing can be written to {package} ({trouble})"
    else:
        why = ""
    yield Finding(
        WRONG if why else NOTE,
        f"{len(raw)} of the SDK's {len(files)} files are not compiled: "
        + (
            f"every import takes some ten seconds, {why}."
            if why
            else "its first import takes some ten seconds, once."
        ),
        "Compile them, as a user who may write there:"
        f" {shlex.quote(sys.executable)} -m compileall -q {shlex.quote(str(package))}",
    )


# --- where the learner works ------------------------------------------------------------------


def shadows(folder: Path) -> Iterator[Finding]:
    """Whether a file beside the notebooks hides a module that they import."""
    names = sorted({*IMPORTED, *sys.stdlib_module_names})
    files = [
        file
        for place in _places(folder)
        for name in names
        for file in (place / f"{name}.py", place / name / "__init__.py")
    ]
    hiding = [file for file in files if file.is_file() and file.parent.resolve() != PACKAGE]
    for file in hiding:
        path = file.parent if file.name == "__init__.py" else file
        yield Finding(
            WRONG,
            f"{path} hides the module {path.stem!r}: a notebook beside it imports that instead.",
            f"Rename it, and delete {path.parent / '__pycache__'} if there is one.",
        )
    if not hiding:
        yield Finding(FINE, "No file beside the notebooks hides a module that they import.")


def _places(folder: Path) -> list[Path]:
    """The folders whose files a notebook or a shell here would import first."""
    return [place for place in (folder, folder / "notebooks") if place.is_dir()]


def progress(folder: Path) -> Iterator[Finding]:
    """Whether what the learner has done can be read and kept."""
    place = journal().place
    if not os.environ.get("LABKIT_PROGRESS", "").strip():
        place = _places(folder)[-1] / PLACE if _places(folder) else folder / PLACE
    if place is None:
        yield Finding(NOTE, "Progress is kept in memory: LABKIT_PROGRESS says so.")
        return
    kept = Journal(place)
    kept.read()
    if kept.note:
        yield Finding(
            WRONG,
            f"{place}: {kept.note}.",
            "Move that file away to begin afresh, or put back one that is whole.",
        )
    elif trouble := _trouble_in(place.parent):
        yield Finding(
            WRONG,
            f"Progress cannot be kept in {place.parent}: {trouble}.",
            "Make that folder yours to write in, or name another file in LABKIT_PROGRESS.",
        )
    else:
        begun = "is" if place.exists() else "will be"
        yield Finding(FINE, f"Progress {begun} kept in {place}.")


def _trouble_in(folder: Path) -> str | None:
    """Why nothing can be written in a folder, or in the nearest one above it that is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)


def live(folder: Path) -> Iterator[Finding]:
    """Whether the real API is asked for and a key is set; never which."""
    key = next((name for name in KEYS if os.environ.get(name)), None)
    try:
        asked = live_session()
        if asked or key:
            look_for_key(asked=False)
    except UsageError as error:
        yield Finding(WRONG, f"{error}.")
        return
    if asked:
        yield Finding(
            NOTE, f"LABKIT_LIVE asks for the real API: every call is paid for with {key}."
        )
    elif key:
        yield Finding(NOTE, f"{key} is set: what `connect(live=True)` sends is paid for with it.")
    else:
        yield Finding(NOTE, "No key is set, and none is needed: a scripted model answers.")


def sandbox(folder: Path) -> Iterator[Finding]:
    """Which means `labkit grade` has to keep a submission apart."""
    told = probe().told()
    there = [what for what, active in told.items() if active]
    lacking = [what for what, active in told.items() if not active]
    if not lacking:
        yield Finding(FINE, f"`labkit grade` keeps a submission apart: {', '.join(there)}.")
    else:
        yield Finding(
            NOTE,
            f"`labkit grade` has here: {', '.join(there) or 'no means to keep a submission apart'}."
            f" It lacks: {', '.join(lacking)}.",
            "That is no matter for your own notebooks; grade those of others on Linux, as root or"
            " where an ordinary user may make namespaces.",
        )


# --- the command ------------------------------------------------------------------------------

EXAMINATIONS: tuple[Callable[[Path], Iterator[Finding]], ...] = (
    python, dependencies, kernel, widgets, bytecode, shadows, progress, cluster, live, sandbox,
)  # fmt: skip


def examine(folder: Path) -> list[Finding]:
    """Examine the installation that runs this, and the folder a learner works in.

    Args:
        folder: The folder of the notebooks, or the one above it.

    Returns:
        What was found, in the order of looking.
    """
    if _version(NAME) is None:
        return [
            Finding(
                WRONG,
                f"labkit is not installed in {sys.executable}: only its folder is at hand.",
                f"Install it: {_pip()} -e {shlex.quote(str(PACKAGE.parent))}",
            )
        ]
    found: list[Finding] = []
    for look in EXAMINATIONS:
        try:
            found += look(folder)
        except Exception as error:  # whatever is broken must not keep the rest from being told
            found.append(
                Finding(
                    WRONG,
                    f"The {look.__name__} could not be examined: {type(error).__name__}: {error}.",
                    "Mend what is told beside this first, or install the course anew.",
                )
            )
    return found


def report(folder: Path) -> int:
    """Print what was found out about this installation.

    Args:
        folder: The folder of the notebooks, or the one above it.

    Returns:
        The exit status: 0 where nothing is wrong, 1 where something is.

    Raises:
        UsageError: When there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}: name the one of the notebooks")
    found = examine(folder.resolve())
    wrong = sum(it.mark == WRONG for it in found)
    print(f"labkit {__version__} in {sys.executable}\n")
    print("\n".join(map(str, found)))
    print(f"\n{count(wrong, 'thing')} to mend." if wrong else "\nNothing is wrong.")
    return 1 if wrong else 0
