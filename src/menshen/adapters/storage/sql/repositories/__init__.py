"""Implement the store's ports in SQL, one repository a file. Its statements have the same name in `statements/`."""
