"""The rules that judge a password login."""

from menshen.core.gates.risk import RULES
from tools.docs.markdown import code, table


def render() -> str:
    """Give each rule with its points, what else it does, and its reason."""
    rows = []
    for rule in RULES:
        notes = ["makes the captcha harder"] * bool(rule.harder) + ["after a right password only"] * rule.proved
        points = rule.shuts.value if rule.shuts else str(rule.points)
        rows.append((code(rule.word), points, "; ".join(notes), rule.why))
    return table(("rule", "points", "more", "reason"), rows)
