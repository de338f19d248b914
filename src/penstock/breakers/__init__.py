"""When to retry, when to stop: budgets, signatures, oscillation, backoff. Pure."""
