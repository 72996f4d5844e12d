"""Adapters that keep what must not be lost. They know core and ports, never one another's kin."""
