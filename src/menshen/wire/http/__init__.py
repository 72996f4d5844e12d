"""HTTP plumbing: bodies, cookies, addresses, refusals. Knows no accounts."""
