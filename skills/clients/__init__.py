"""Models that run elsewhere, each behind `skills.backend.Backend`."""
