"""Import apps, accounts and sessions of another program."""
