"""Use cases of the pages of an account: what its owner agreed to, sees, closes, removes and takes along."""
