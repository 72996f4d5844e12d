"""Hand over the messages that wait in the outbox, and take the receipts of vendors."""
