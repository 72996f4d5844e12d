"""Make what a person sees: words, templates, style sheets, pictures and QR codes."""
