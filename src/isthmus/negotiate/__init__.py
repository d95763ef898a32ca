"""Pure decisions that return reasons: which proposal, which selectors, which peer."""
