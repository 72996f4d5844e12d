"""Store what the pages of an account need: agreements, links that say "that was not me", and ordered exports."""
