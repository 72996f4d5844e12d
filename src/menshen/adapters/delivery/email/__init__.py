"""Hold the senders of email."""
