"""A seeded network over virtual time that drives the same engine as the daemon does. `isthmus sim` runs its stories."""
