"""The ledger of what came from another program.

Only adds: a program of schema 0003 goes on beside it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ZERO = sa.text("0")


def upgrade() -> None:
    """Add two tables."""
    op.create_table(
        "imported_accounts",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_number", INT, nullable=False),
        sa.Column("mark", INT, server_default=ZERO, nullable=False),
        sa.Column("account_number", INT, nullable=False),
        sa.PrimaryKeyConstraint("source", "source_number"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_table(
        "imported_tokens",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", INT, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.create_index("ix_imported_tokens_expires_at", "imported_tokens", ["expires_at"])
