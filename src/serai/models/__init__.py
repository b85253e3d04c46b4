"""Language models: OpenAI-compatible endpoints, models found on this machine, the embedded model."""
