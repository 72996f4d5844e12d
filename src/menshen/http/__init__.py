"""Plumbing shared by the wire: bytes in, bytes out. No account words; junk encodings and size caps die here."""
