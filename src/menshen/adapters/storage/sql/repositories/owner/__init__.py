"""Keep what the pages of an account need in SQL."""
