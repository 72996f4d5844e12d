"""Define the closed list of audit events, and the export of what is kept about an account."""
