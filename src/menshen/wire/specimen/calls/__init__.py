"""Hold one file for each family of calls. A handler decodes, makes an ask, awaits one flow and matches its outcome."""
