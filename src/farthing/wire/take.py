"""Take what is understood out of a JSON object; what is left stays for `Node.rest`."""

from __future__ import annotations

from typing import Any, TypeVar

from farthing.errors import Malformed

T = TypeVar("T")

# Deeper nesting than this is nobody's request; it bounds every recursion over decoded JSON.
DEEPEST = 64


class Taker:
    """A shallow copy of an object that shrinks as its keys are understood."""

    def __init__(self, value: Any, what: str = "object") -> None:
        """Raises Malformed when `value` is no object; `what` names it."""
        if not isinstance(value, dict):
            raise Malformed("invalid_field", f"A {what} must be a JSON object.")
        self.left: dict[str, Any] = dict(value)

    def take(self, key: str, kind: type[T], default: T) -> T:
        """Return and remove a value of a type; one that is null or of another type stays."""
        value = self.left.get(key)
        if type(value) is kind:
            del self.left[key]
            return value
        if value is None:
            return default
        # A bool is an int to Python, and an int is a float's equal on the wire.
        wanted = (int, float) if kind is float else kind
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
            return default
        del self.left[key]
        return value  # type: ignore[return-value]

    def maybe(self, key: str, kind: type[T]) -> T | None:
        """Return and remove a value of a type, or None."""
        missing: Any = None
        found: T | None = self.take(key, kind, missing)
        return found

    def objects(self, key: str) -> list[dict[str, Any]] | None:
        """Return and remove an array of objects; None, and it stays, when it is anything else."""
        value = self.left.get(key)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            return None
        del self.left[key]
        return value

    def strings(self, key: str) -> list[str] | None:
        """Return and remove an array of strings; None, and it stays, when it is anything else."""
        value = self.left.get(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return None
        del self.left[key]
        return value
