"""Report on a running server: logs, metrics, traces."""
