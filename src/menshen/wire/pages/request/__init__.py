"""Read what a browser sends: its form, its cookies, where it wants to go, and who is logged in."""
