"""What importing costs, and which way imports point."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import labkit
from labkit import patterns

PACKAGE = Path(labkit.__file__).parent
HEAVY = ["anthropic", "distributed", "httpx2", "matplotlib", "ipywidgets", "IPython", "pydantic"]


@pytest.mark.parametrize("statement", ["import labkit", "import labkit.patterns"])
def test_nothing_heavy_is_loaded_before_it_is_needed(statement: str) -> None:
    code = f"import sys; {statement}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    for name in labkit.__all__:
        assert getattr(labkit, name) is not None
    assert set(labkit.__all__) <= set(dir(labkit))


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"no 'gather'; it offers .*connect"):
        _ = labkit.gather


def test_every_pattern_can_be_imported_by_its_name() -> None:
    for name in patterns.__all__:
        assert getattr(patterns, name) is not None


@pytest.mark.parametrize(
    "file", sorted((PACKAGE / "patterns").glob("*.py")), ids=lambda path: path.stem
)
def test_patterns_import_nothing_else_of_labkit(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level <= 1, ast.unparse(node)
            assert not (node.module or "").startswith("labkit"), ast.unparse(node)
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("labkit") for alias in node.names)
