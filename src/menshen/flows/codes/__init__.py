"""Use cases of one-time codes: send, verify, and the rules of a try."""
