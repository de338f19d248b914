"""Settings with their origin: pipeline.yaml, circuit_breakers.yaml, tool_profiles.json."""
