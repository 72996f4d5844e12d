"""Keep what apps say about their hosted pages in SQL."""
