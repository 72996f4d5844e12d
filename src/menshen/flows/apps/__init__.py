"""Find the app of a request, and manage apps."""
