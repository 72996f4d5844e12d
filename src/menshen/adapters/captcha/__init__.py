"""Adapters that tell people from programs. A vendor is one file with `Settings` and `build`."""
