"""The IKEv2 dialect. RFC 7296."""
