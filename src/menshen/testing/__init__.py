"""Contract suites, for the author of an adapter or a dialect. They know no adapter and no test runner."""
