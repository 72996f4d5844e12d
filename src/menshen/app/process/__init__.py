"""Run the processes of a server."""
