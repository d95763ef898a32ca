"""Typed snapshots of the running gateway: one truth for the CLI, the API and tests."""
