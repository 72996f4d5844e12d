"""Define messages to people, the senders that hand them over, and what becomes of each."""
