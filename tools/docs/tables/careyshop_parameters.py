"""The parameters of the CareyShop API, with what their values may be."""

from menshen.wire.careyshop.described import fields
from menshen.wire.careyshop.described.fields import Field
from tools.docs.markdown import code, codes, table


def render() -> str:
    """Give each parameter, the public ones first."""
    found = dict.fromkeys([*fields.PUBLIC, *(value for value in vars(fields).values() if isinstance(value, Field))])
    rows = [(code(field.name), "all" if field in fields.PUBLIC else "", _value(field), field.about) for field in found]
    return table(("parameter", "calls", "value", "what it is"), rows)


def _value(field: Field) -> str:
    if field.choices:
        return codes(field.choices)
    lengths = f"{field.least} characters" if field.least == field.most > 0 else ""
    if not lengths and field.most:
        lengths = f"{field.least} to {field.most} characters" if field.least else f"at most {field.most} characters"
    if not lengths and field.least:
        lengths = f"at least {field.least} characters"
    return ", ".join(filter(None, [lengths, code(field.pattern) if field.pattern else ""]))
