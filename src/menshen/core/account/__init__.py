"""Define accounts, and the requests about them."""
