"""The ports of the store in SQL: one repository a file, its statements in `statements/` under the same name."""
