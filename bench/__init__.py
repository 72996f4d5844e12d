"""The bench: every row of docs/performance.md, measured as a ratio in one run. `make bench`, `make bench-long`."""
