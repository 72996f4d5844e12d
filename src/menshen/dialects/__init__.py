"""House styles of the wire, one package each. Dialects are strangers to each other."""
