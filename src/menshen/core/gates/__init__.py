"""Decide the checks before a use case: limits, risk, captcha."""
