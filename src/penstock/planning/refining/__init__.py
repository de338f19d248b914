"""An agent's answer to a draft plan: what it may change, and what it may not."""
