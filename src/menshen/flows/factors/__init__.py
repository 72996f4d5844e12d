"""Enrol, prove and remove second factors, and judge second steps."""
