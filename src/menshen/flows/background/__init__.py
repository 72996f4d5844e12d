"""Run background jobs: send messages, delete old rows, track the cost of stored hashes."""
