"""The calls of the dialect: one file for each family."""
