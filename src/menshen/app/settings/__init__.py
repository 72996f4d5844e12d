"""Settings: their sections, how they are read, and whether they fit together."""
