"""What operators do to accounts, and what they are told about risk."""
