"""Define the ways to log in, their outcomes, and the rules for passwords."""
