"""Measure all rows of docs/measured/performance.md, each as a ratio within one run. `make bench`, `make bench-long`."""
