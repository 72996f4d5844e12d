"""Define sessions, and the devices that have them."""
