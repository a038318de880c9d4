"""What Binder builds: its pinned versions, and its build rehearsed without Docker.

    python tools/binder.py pin             # write binder/requirements.txt anew, from uv.lock
    python tools/binder.py check           # does it agree with pyproject.toml and uv.lock?
    python tools/binder.py build FOLDER    # build in a folder what Binder would build

The steps of the build are those of repo2docker, the tool by which Binder builds, asked through its
own interface: it decides what the files in ``binder/`` mean. It is installed beside, in a virtual
environment of its own. What cannot be had without conda is the image's base environment: the
Jupyter packages it holds are installed from PyPI in the versions that repo2docker locks.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# Run as a script, the folder of this file is on the path and the package may not be.
sys.path.insert(0, str(ROOT))

from tools.environments import (  # noqa: E402
    UV,
    Failed,
    bare_environment,
    call,
    copy_of_the_repository,
    find_python,
    install,
    make,
    megabytes,
)
from tools.links import FIRST  # noqa: E402

REQUIREMENTS = ROOT / "binder" / "requirements.txt"
REPO2DOCKER = "jupyter-repo2docker>=2026.4"

FIRST_LESSON = f"lab/tree/{FIRST}"
"""What the badge opens: the address below the server's own."""

HEADING = """\
# What Binder installs, on the Python of runtime.txt: the course, and its dependencies and those of
# its extra `cluster` in the versions that uv.lock keeps.
# `python tools/binder.py pin` writes this file.
"""

EXPORT = (
    *("export", "--frozen", "--offline", "--quiet", "--extra=cluster"),
    *("--no-default-groups", "--group=binder", "--no-emit-project"),
    *("--no-hashes", "--no-annotate", "--no-header"),
)

ON_PYPI = {"jupyterhub-singleuser": "jupyterhub"}
"""The base environment's packages that PyPI has under another name."""

NOT_JUPYTER = ("python", "pip", "nodejs")


# --- the pins ---------------------------------------------------------------------------------


def pinned() -> str:
    """What ``binder/requirements.txt`` should be by ``uv.lock``."""
    return HEADING + call(*UV, *EXPORT) + "-e .\n"


def disagreements() -> list[str]:
    """Where the pins, ``uv.lock`` and ``pyproject.toml`` disagree, one sentence for each."""
    faults = []
    try:
        call(*UV, "lock", "--check", "--offline", "--quiet")
    except Failed:
        faults.append("uv.lock does not fit pyproject.toml: `uv lock` mends it.")
    if REQUIREMENTS.read_text(encoding="utf-8") != pinned():
        faults.append(
            "binder/requirements.txt is not what uv.lock gives:"
            " `python tools/binder.py pin` mends it."
        )
    return faults


# --- repo2docker ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Steps:
    """What repo2docker makes of a repository.

    Attributes:
        buildpack: The name of the buildpack that it detects.
        python: The version of Python, such as ``"3.12"``.
        base: The Jupyter packages of the base environment, as requirements.
        assemble: The shell commands that install what the repository asks for.
        post_build: The programs to run after that.
        start: The program that starts the server's command, if there is one; its path is below
            ``${REPO_DIR}``.
    """

    buildpack: str
    python: str
    base: tuple[str, ...]
    assemble: tuple[str, ...]
    post_build: tuple[str, ...]
    start: str | None


def steps(repository: Path, python: Path) -> Steps:
    """Ask repo2docker what it would do.

    Args:
        repository: The repository's folder.
        python: The interpreter of an environment that has repo2docker.
    """
    told = json.loads(call(python, __file__, "steps", folder=repository))
    return Steps(
        told["buildpack"],
        told["python"],
        tuple(told["base"]),
        tuple(told["assemble"]),
        tuple(told["post_build"]),
        told["start"],
    )


def _own_steps() -> dict[str, Any]:
    """The steps for the working directory; runs where repo2docker can be imported."""
    from repo2docker.app import Repo2Docker
    from repo2docker.buildpacks import conda

    app = Repo2Docker()
    packs = (kind(app.base_image) for kind in app.buildpacks)
    found = next(pack for pack in packs if pack.detect())
    about = Path(conda.__file__).parent / f"environment.py-{found.python_version}"
    asked = about.with_name(f"{about.name}.yml").read_text(encoding="utf-8")
    locked = about.with_name(f"{about.name}-linux-64.lock").read_text(encoding="utf-8")
    versions = dict(re.findall(r"/([\w.-]+)-([\d.]+)-\w+\.conda", locked))
    names = re.findall(r"^ *- ([\w-]+)=", asked, flags=re.MULTILINE)
    names = [*(name for name in names if name not in NOT_JUPYTER), "ipykernel"]
    return {
        "buildpack": type(found).__name__,
        "python": found.python_version,
        "base": [f"{ON_PYPI.get(name, name)}=={versions[name]}" for name in names],
        "assemble": [script for _, script in found.get_assemble_scripts()],
        "post_build": found.get_post_build_scripts(),
        "start": found.get_start_script(),
    }


# --- the rehearsal ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Built:
    """What a rehearsed build left.

    Attributes:
        steps: The steps that were gone through.
        repository: The copy of the repository, which is the home and the working directory.
        prefix: The environment.
        base: Megabytes of the environment before the course was installed.
        megabytes: Megabytes of it after that, bytecode included.
        seconds: What the course's own steps took.
    """

    steps: Steps
    repository: Path
    prefix: Path
    base: float
    megabytes: float
    seconds: float

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the build's commands and the server see."""
        own = Path.home() / ".config" / "pip" / "pip.conf"
        # Another home would hide where this machine has pip look for packages.
        pip = {"PIP_CONFIG_FILE": str(own)} if own.exists() else {}
        return bare_environment(
            **pip,
            HOME=str(self.repository),
            REPO_DIR=str(self.repository),
            NB_PYTHON_PREFIX=str(self.prefix),
            KERNEL_PYTHON_PREFIX=str(self.prefix),
            PATH=os.pathsep.join([str(self.prefix / "bin"), os.environ["PATH"]]),
        )

    def server(self, port: int, *, base_url: str, token: str) -> list[str]:
        """The command by which a BinderHub starts the server.

        Args:
            port: Where it listens.
            base_url: Its address on the host, such as ``/user/ada/``.
            token: What lets a browser in.
        """
        options = {"base_url": base_url, "token": token, "trust_xheaders": "True"}
        apps, start = ("NotebookApp", "ServerApp"), self.steps.start
        return [
            *([Template(start).substitute(self.environment)] if start else []),
            *("jupyter-notebook", "--ip=127.0.0.1", f"--port={port}"),
            *(f"--{app}.{name}={value}" for app in apps for name, value in options.items()),
        ]


def build(folder: Path) -> Built:
    """Do in an empty virtual environment what Binder would do.

    Args:
        folder: Where; it should be empty.

    Raises:
        Failed: When a step fails, or the Python that Binder would use is not there.
    """
    asking = make(folder / "repo2docker", Path(sys.executable))
    install(asking, REPO2DOCKER)
    repository = copy_of_the_repository(folder / "repository")
    planned = steps(repository, asking)

    interpreter = find_python(planned.python)
    if interpreter is None:
        raise Failed(f"Binder would build on Python {planned.python}, which is not there")
    prefix = folder / "environment"
    install(make(prefix, interpreter, pip=True), *planned.base, compiled=True)
    base = megabytes(prefix)

    started = time.monotonic()
    environment = Built(planned, repository, prefix, base, base, 0).environment
    for script in planned.assemble:
        call("bash", "-c", script, folder=repository, environment=environment)
    for program in planned.post_build:
        call(f"./{program}", folder=repository, environment=environment)
    seconds = time.monotonic() - started
    return Built(planned, repository, prefix, base, megabytes(prefix), seconds)


# --- the command ------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    actions = parser.add_subparsers(required=True, dest="action", metavar="ACTION")
    actions.add_parser("pin", help="write binder/requirements.txt anew, from uv.lock")
    actions.add_parser("check", help="does it agree with pyproject.toml and uv.lock?")
    actions.add_parser("steps", help="what repo2docker, in this environment, would do here")
    building = actions.add_parser("build", help="build in a folder what Binder would build")
    building.add_argument("folder", type=Path, metavar="FOLDER")
    options = parser.parse_args(arguments)
    if options.action == "pin":
        REQUIREMENTS.write_text(pinned(), encoding="utf-8")
    elif options.action == "steps":
        print(json.dumps(_own_steps()))
    elif options.action == "build":
        built = build(options.folder.resolve())
        print(
            f"{built.prefix}: {built.megabytes:.0f} MB, of which {built.base:.0f} MB are the"
            f" image's own; the course took {built.seconds:.0f} s\n"
            f"in {built.repository}, with {built.prefix / 'bin'} first on PATH, start:\n"
            + " ".join(built.server(8888, base_url="/", token="rehearsal"))
        )
    elif faults := disagreements():
        print("\n".join(faults), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
