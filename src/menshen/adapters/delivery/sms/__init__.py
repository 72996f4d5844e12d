"""Hold the senders of text messages. `specimen.py` is the one to copy."""
