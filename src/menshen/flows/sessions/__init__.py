"""Check tokens; list and end sessions."""
