"""Bytes in, bytes out: plumbing in `http`, and above it ends that are strangers to one another."""
