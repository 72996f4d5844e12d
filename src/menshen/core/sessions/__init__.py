"""Sessions and the devices that hold them."""
