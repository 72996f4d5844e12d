"""Use cases of an account: register, look up, change, reset."""
