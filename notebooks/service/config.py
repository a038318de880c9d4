"""Configuration: defaults, then a TOML file, then the environment."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DEFAULTS = {"port": 8000, "workers": 4, "database": "orders.db"}
PREFIX = "ORDERS_"


def from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """`ORDERS_PORT=9000` sets `port`."""
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX)
    }


def load(path: Path, settings: dict[str, Any] = {}) -> dict[str, Any]:
    """All settings; what is named later wins."""
    for name, value in DEFAULTS.items():
        settings.setdefault(name, value)
    if path.exists():
        settings.update(tomllib.loads(path.read_text("utf-8")))
    for name, value in from_environment(os.environ).items():
        kind = type(DEFAULTS.get(name, ""))
        settings[name] = kind(value)
    return settings
