"""One file to a revision. A released file never changes; each must leave the release before it working."""
