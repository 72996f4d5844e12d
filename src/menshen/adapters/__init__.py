"""Implement the ports: one folder for each port. Adapters do not import one another."""
