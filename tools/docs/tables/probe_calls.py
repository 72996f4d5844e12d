"""The calls outside of all dialects, from their OpenAPI document."""

from menshen.app.discovery import PROBES, openapi_documents
from tools.docs.calls import calls


def render() -> str:
    """Give each call."""
    return calls(openapi_documents(["weidu"])[PROBES], verbs=("get",))
