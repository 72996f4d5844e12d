"""Define protocols with written contracts. Adapters implement them, flows use them, `menshen.testing` tests them."""
