"""Define the sections of the settings, one file for each subject. Each field describes itself in its `Meta`."""
