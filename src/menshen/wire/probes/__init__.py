"""Serve the endpoints outside of all dialects: health, metrics, token check, API reference."""
