"""The calls of the weidu API, from its OpenAPI document."""

from menshen.app.discovery import openapi_documents
from tools.docs.calls import calls


def render() -> str:
    """Give each call; the paths begin with /weidu/api/v1."""
    document = openapi_documents(["weidu"])["weidu"]
    return calls(document, verbs=("get", "post", "put", "delete"), below="/weidu/api/v1")
