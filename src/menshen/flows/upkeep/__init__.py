"""Delete what is over: rows, and accounts whose days of grace have passed."""
