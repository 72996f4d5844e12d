"""The closed vocabulary of audit events."""
