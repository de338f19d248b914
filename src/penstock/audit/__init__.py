"""The audit trail: chained, signed, verifiable."""
