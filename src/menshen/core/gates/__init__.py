"""Decisions of the checks before a use case: limits, risk, captcha."""
