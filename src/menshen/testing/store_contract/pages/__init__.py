"""Test what apps say about their hosted pages."""
