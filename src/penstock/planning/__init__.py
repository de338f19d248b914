"""Workstream bundles: loading, validation, the generated schema."""
