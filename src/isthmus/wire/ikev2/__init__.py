"""The IKEv2 message: RFC 7296, section 3; RFC 7383 for fragments; RFC 9242 and 9370 for their exchanges."""
