"""Keep what proves a person beside the first proof in SQL."""
