"""Other programs' data, read as a stream of records that the flows take in. Knows formats, no store."""
