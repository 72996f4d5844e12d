"""Judge passkeys with a library."""
