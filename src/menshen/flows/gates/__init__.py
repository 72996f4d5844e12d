"""Check requests before a use case decides: captcha, rate limits, concurrency, risk."""
