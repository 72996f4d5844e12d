"""Manage an installation on this machine: directory, keys, database, backups, copies."""
