"""Test the stores of what the pages of an account need."""
