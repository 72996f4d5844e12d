"""Hold the commands about senders of text messages."""
