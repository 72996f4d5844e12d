"""Define the repositories of the database, one for each file, and the transactions over them."""
