"""What is kept: one repository a file, and the transactions over them."""
