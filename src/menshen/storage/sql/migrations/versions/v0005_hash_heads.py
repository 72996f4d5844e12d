"""Which heads of hashes stand on accounts, those that stand there already included.

Only adds: a program of schema 0004 goes on beside it. What that one brings in is found by the walk over the accounts.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ZERO = sa.text("0")

_SQLITE = """
INSERT INTO hash_heads (head)
SELECT DISTINCT substr(password_hash, 1, 7) FROM accounts WHERE password_hash GLOB '$2[abxy]$[0-9][0-9]$*'
UNION
SELECT DISTINCT substr(password_hash, 1,
    instr(password_hash, ',p=') + 2 + instr(substr(password_hash, instr(password_hash, ',p=') + 3), '$'))
  FROM accounts
  WHERE password_hash GLOB '$argon2i*$v=19$m=[0-9]*,t=[0-9]*,p=[0-9]$*'
     OR password_hash GLOB '$argon2i*$v=19$m=[0-9]*,t=[0-9]*,p=[0-9][0-9]$*'
"""
_HEAD = r"^(\$2[abxy]\$[0-9]{2}\$|\$argon2id?\$v=19\$m=[0-9]{1,7},t=[0-9]{1,2},p=[0-9]{1,2}\$)"
_POSTGRESQL = f"""
INSERT INTO hash_heads (head)
SELECT DISTINCT substring(password_hash from '{_HEAD}') FROM accounts WHERE password_hash ~ '{_HEAD}'
"""  # noqa: S608 - two texts of ours


def upgrade() -> None:
    """Add a table, and fill it with what one reading of the accounts tells."""
    op.create_table(
        "hash_heads",
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("noted_at", INT, server_default=ZERO, nullable=False),
        sa.PrimaryKeyConstraint("head"),
        sqlite_autoincrement=False,
        sqlite_strict=True,
    )
    op.execute(_POSTGRESQL if op.get_context().dialect.name == "postgresql" else _SQLITE)
