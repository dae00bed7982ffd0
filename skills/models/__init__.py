"""Public models that run in this process, each behind `skills.backend.Backend`."""
