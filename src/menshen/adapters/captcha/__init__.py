"""Adapters that tell people from programs: built in here, and at vendors in `vendors`."""
