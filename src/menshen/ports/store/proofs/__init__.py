"""Store what proves a person beside the first proof: factors, passkeys, codes, pending logins, trusted devices."""
