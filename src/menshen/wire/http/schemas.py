"""Make JSON schemas of Structs and TypedDicts, in forms that generators of clients take.

Generators drop a call whose schema mixes types in one enum, and make an empty type of a choice between number types.
Only the modules that make documents import this. (Decision 0060.)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

Json = dict[str, Any]

REQUEST_ID: Final[Json] = {
    "X-Request-Id": {"description": "Names this answer in the server's log.", "schema": {"type": "string"}}
}
"""The header that each answer of a dialect has."""
RETRY_AFTER: Final[Json] = {
    "Retry-After": {"description": "Seconds, where waiting helps.", "schema": {"type": "string"}}
}
"""The header of refusals that waiting may end."""

TEMPLATE: Final = "#/components/schemas/{name}"
_TYPES: Final[dict[type, str]] = {str: "string", int: "integer", bool: "boolean", float: "number", type(None): "null"}
_NUMBERS: Final = [{"type": "integer"}, {"type": "number"}]


def components(kinds: Iterable[type]) -> dict[str, Json]:
    """Return the schemas of these types and of all that stand in them, by name."""
    ordered = sorted(kinds, key=lambda kind: kind.__name__)
    _, made = msgspec.json.schema_components(ordered, ref_template=TEMPLATE)
    return {name: of_one_type(schema) for name, schema in made.items()}


def schema_of(kind: Any) -> Json:
    """Return the schema of an annotation. Records in it are references to `components`."""
    (schema,), _ = msgspec.json.schema_components([kind], ref_template=TEMPLATE)
    found: Json = of_one_type(schema)
    return found


def reference(kind: type) -> Json:
    """Return a reference to the schema of a record."""
    return {"$ref": TEMPLATE.format(name=kind.__name__)}


def of_one_type(part: Any) -> Any:
    """Return a copy in which each enum names its one type. A mixed enum becomes a choice of several.

    A number that may be whole is a number: JSON Schema calls 1.0 an integer too.
    """
    if isinstance(part, list):
        return [of_one_type(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    made = {name: of_one_type(inner) for name, inner in part.items()}
    if made.get("anyOf") == _NUMBERS:
        del made["anyOf"]
        made["type"] = "number"
    values = made.get("enum")
    if not isinstance(values, list):
        return made
    by_type: dict[str, list[Any]] = {}
    for value in values:
        by_type.setdefault(_TYPES[type(value)], []).append(value)
    if len(by_type) == 1:
        return {"type": next(iter(by_type)), **made}
    del made["enum"]
    return made | {"anyOf": [{"type": name, "enum": found} for name, found in by_type.items()]}
