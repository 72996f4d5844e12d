"""An installation on this machine: folder, keys, database, backups, moves."""
