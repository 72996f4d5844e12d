"""Define one-time codes, the messages with them, and the SMS traffic."""
