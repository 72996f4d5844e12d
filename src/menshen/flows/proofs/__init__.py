"""Judge proofs by factors and passkeys, and count the wrong ones. Logins and sessions share it."""
