"""Handle the calls of the dialect: one file for each family."""
