"""Store what apps say about their hosted pages, and the logos on them."""
