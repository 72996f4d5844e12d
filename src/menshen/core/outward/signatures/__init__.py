"""Sign requests as vendors want it, each algorithm in one file."""
