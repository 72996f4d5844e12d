"""Define what proves a person beside the first proof: second factors, passkeys, codes, and what a login waits for."""
