"""The IKE version 1 dialect. RFC 2407, 2408, 2409."""
