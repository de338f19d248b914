"""Which tool takes a capability: candidates, their health, the order, and why. Pure."""
