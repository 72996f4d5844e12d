"""Work that nobody asked for: send messages, sweep, watch the cost of stored hashes."""
