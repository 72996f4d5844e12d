"""Read other programs' data."""
