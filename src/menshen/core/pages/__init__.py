"""Define what an app says about the pages that this server shows for it, and the colours of these pages."""
