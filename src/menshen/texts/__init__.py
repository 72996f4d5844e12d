"""Hold texts for people, one file a language: ids to words. Dialects keep the texts of their own wire."""
