"""What stands behind the ports: one folder a port, strangers to one another."""
