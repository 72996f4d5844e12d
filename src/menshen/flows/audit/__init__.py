"""Make and append the audit events of flows."""
