"""Bytes <-> values. Bounded readers, declared layouts, open registries; IKEv2 beside them in its own room."""
