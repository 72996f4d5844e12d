"""Hold one table a file. `render()` gives the Markdown that stands between the markers of that name."""
