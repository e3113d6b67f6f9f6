"""Compares an answer with the one in the document."""
import math


def _get(value: object, pointer: str) -> tuple[object, object]:
    """The container and the key of what a JSON pointer points to."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in parts[:-1]:
        value = value[int(part) if isinstance(value, list) else part]
    return value, int(parts[-1]) if isinstance(value, list) else parts[-1]


def differences(expected: object, came: object, tolerance: float = 1e-12, varying: list[str] = (), pointer: str = "") -> list[str]:
    """What differs, each with a JSON pointer. Strings and structure must be equal, numbers within the relative tolerance."""
    if pointer in varying:
        same = type(expected) is type(came) or (_is_number(expected) and _is_number(came))
        return [] if same else [f"{pointer}: {type(expected).__name__} expected, {came!r} came"]
    if isinstance(expected, dict) and isinstance(came, dict):
        if expected.keys() != came.keys():
            return [f"{pointer}: the members {sorted(expected)} expected, {sorted(came)} came"]
        return [d for key in expected for d in differences(expected[key], came[key], tolerance, varying, f"{pointer}/{key}")]
    if isinstance(expected, list) and isinstance(came, list):
        if len(expected) != len(came):
            return [f"{pointer}: {len(expected)} elements expected, {len(came)} came"]
        pairs = zip(expected, came)
        return [d for i, (e, c) in enumerate(pairs) for d in differences(e, c, tolerance, varying, f"{pointer}/{i}")]
    if _is_number(expected) and _is_number(came):
        equal = math.isclose(expected, came, rel_tol=tolerance, abs_tol=0)
    else:
        equal = type(expected) is type(came) and expected == came
    return [] if equal else [f"{pointer}: {expected!r} expected, {came!r} came"]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def missing(value: object, pointers: list[str]) -> list[str]:
    """Those of the pointers that point to nothing."""
    absent = []
    # The empty pointer is to all of it.
    for pointer in filter(None, pointers):
        try:
            container, key = _get(value, pointer)
            container[key]
        except (KeyError, IndexError, TypeError, ValueError):
            absent.append(pointer)
    return absent
