"""Ways to log in, what they answer, and the rules of passwords."""
