"""Sign requests to vendors. Each file holds one algorithm, as a pure function of the request, the key and the time."""
