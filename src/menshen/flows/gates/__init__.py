"""Checks that a request passes before a use case decides: captcha, limits, concurrency, risk."""
