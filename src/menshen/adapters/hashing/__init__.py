"""Hash and verify passwords."""
