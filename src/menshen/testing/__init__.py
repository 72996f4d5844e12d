"""Provide contract suites for authors of adapters and dialects. They know no adapter and no test runner."""
