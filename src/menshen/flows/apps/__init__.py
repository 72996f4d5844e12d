"""Find the app of a request; manage apps."""
