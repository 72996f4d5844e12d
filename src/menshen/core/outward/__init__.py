"""Judge services outside: their addresses, whether they are asked now, and how requests to them are signed."""
