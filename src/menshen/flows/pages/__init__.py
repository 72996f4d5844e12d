"""Find and change what apps say about their hosted pages."""
