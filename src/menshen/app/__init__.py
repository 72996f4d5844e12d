"""Assemble the server: settings, adapters, flows, the ASGI application and its processes."""
