"""Answer the pages, one module for each. A module names its routes in `ROUTES`."""
