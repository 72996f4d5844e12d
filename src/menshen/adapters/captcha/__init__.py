"""Implement captchas: the built-in ones here, and those of vendors in `vendors`."""
