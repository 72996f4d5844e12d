"""Import structlog without rich. A module that may import structlog first in a process imports this one before it.

structlog also loads its coloured console, and with it rich, which takes a tenth of a start. The lines of this program
are JSON, so rich is hidden during the import.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if not TYPE_CHECKING and "rich" not in sys.modules:
    sys.modules["rich"] = None
    import structlog

    del sys.modules["rich"]
else:
    import structlog

__all__ = ["structlog"]
