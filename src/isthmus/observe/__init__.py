"""Folds over the one stream of events: the log, the journal, the metrics."""
