"""Make single parts of an installation, for the server and for commands that need no more than these."""
