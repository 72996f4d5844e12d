"""Audit events as flows write them."""
