"""Send, verify and consume one-time codes, and count attempts on them."""
