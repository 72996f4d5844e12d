"""Speak HTTP to clients: `http` holds what all share, and the packages above it do not import one another."""
