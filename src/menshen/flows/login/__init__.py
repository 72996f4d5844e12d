"""Ways to log in. `finish` alone opens sessions."""
