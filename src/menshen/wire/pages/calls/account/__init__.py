"""Answer the pages of an account, for who is logged in."""
