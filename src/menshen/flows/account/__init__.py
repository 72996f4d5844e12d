"""Register, look up and change accounts, and reset passwords."""
