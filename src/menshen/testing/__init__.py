"""Provide contract suites of the ports for authors of adapters. They know only ports and core, and no test runner."""
