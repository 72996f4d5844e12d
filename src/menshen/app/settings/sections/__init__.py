"""The sections of the settings, a file a subject. Each field says in its `Meta` what it is for."""
