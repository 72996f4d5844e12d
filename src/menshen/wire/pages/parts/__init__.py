"""Do what several pages share: consents, captchas, what people type as a number or address, and codes to it."""
