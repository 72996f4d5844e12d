"""The records in answers of the CareyShop API, with their fields in the order of the wire."""

from menshen.wire.careyshop.described import answers
from menshen.wire.careyshop.described.openapi import openapi
from menshen.wire.careyshop.methods import METHODS
from tools.docs.calls import fields
from tools.docs.markdown import code, codes, table


def render() -> str:
    """Give each record."""
    document = openapi(METHODS, "0")
    records = [name for name in document["components"]["schemas"] if hasattr(answers, name)]
    return table(
        ("record", "fields", "what it is"),
        [
            (
                code(name),
                codes(key for key, _ in fields(document, name)),
                document["components"]["schemas"][name]["description"],
            )
            for name in records
        ],
    )
