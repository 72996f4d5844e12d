"""The methods of the CareyShop API: what each reads, answers and refuses with."""

from menshen.wire.careyshop.described import fields
from menshen.wire.careyshop.described.fields import reads_of
from menshen.wire.careyshop.described.openapi import openapi
from menshen.wire.careyshop.methods import METHODS, Who
from tools.docs.calls import Json
from tools.docs.markdown import code, codes, table


def render() -> str:
    """Give each method. `appkey` and `sign` stand where a call cannot do without them."""
    document = openapi(METHODS, "0")
    rows = []
    for method in METHODS:
        described = reads_of(method.handler)
        needed = [field.name for field in described.needed]
        needed += [fields.APPKEY.name] if method.app else []
        needed += ["token", "sign"] if method.who is Who.ACCOUNT else []
        operation = document["paths"][f"/api/v1/{method.controller}/method/{method.name}"]["post"]
        refused = {status: answer for status, answer in operation["responses"].items() if status != "200"}
        rows.append((
            code(method.name), method.controller, codes(needed), codes(field.name for field in described.optional),
            _data(document, "".join(part.capitalize() for part in method.name.split("."))),
            "; ".join(f"{status}: {answer['description']}" for status, answer in refused.items()),
        ))  # fmt: skip
    return table(("method", "controller", "needs", "may have", "`data`", "refuses with"), rows)


def _data(document: Json, name: str) -> str:
    data = document["components"]["schemas"][f"{name}Answer"]["properties"]["data"]
    return code(data["$ref"].rpartition("/")[2]) if "$ref" in data else code("true")
