"""Packages that only some networks need."""

from __future__ import annotations

import importlib.util


def require(*modules: str, extra: str) -> None:
    """Check that modules can be imported.

    Raises
    ------
    ImportError
        Where some cannot, with the words that install them.
    """
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(f"{', '.join(missing)} expected, and not installed: pip install 'ntk-client[{extra}]'")
