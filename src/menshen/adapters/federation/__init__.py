"""Hold identity providers: a file each, whose name is the `type` in the settings.

A file has `HOSTS`, `Settings` and `build`.
"""
