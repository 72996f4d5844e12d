"""Endpoints that belong to no dialect: health, metrics, token check, API reference."""
