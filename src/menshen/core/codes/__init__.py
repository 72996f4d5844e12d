"""One-time codes, the messages that carry them, and the traffic they make."""
