"""Contract suites of the ports, for whoever writes an adapter. They know ports and core only, and no test runner."""
