"""The bench: every row of docs/measured/performance.md, each a ratio of one run. `make bench`, `make bench-long`."""
