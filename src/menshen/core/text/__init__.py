"""Fold the texts of people."""
