"""Programs for those who develop Menshen. The package does not ship them."""
