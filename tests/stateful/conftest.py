"""What the state machine asks for."""

from tests.databases import sqlite_template

__all__ = ["sqlite_template"]
