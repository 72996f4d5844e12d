"""How hard the test was that earned a captcha pass, and how many SMS codes come back.

Only adds: a program of schema 0002 goes on beside it, and its passes count as the easiest.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ZERO = sa.text("0")


def upgrade() -> None:
    """Add a column and a table."""
    op.add_column("captcha_passes", sa.Column("difficulty", INT, server_default=sa.text("1"), nullable=False))
    op.create_table(
        "sms_traffic",
        sa.Column("day", INT, nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("sent", INT, server_default=ZERO, nullable=False),
        sa.Column("verified", INT, server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("day", "prefix"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
