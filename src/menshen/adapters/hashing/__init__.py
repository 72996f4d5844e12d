"""Adapters that hash passwords and seal secrets. They know core and ports only."""
