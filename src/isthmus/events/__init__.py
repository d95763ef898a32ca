"""The catalogue of facts. Logs, metrics, the journal, API state and diagnosis are folds over them."""
