"""Read and check settings: their sections, their sources, and whether they fit together."""
