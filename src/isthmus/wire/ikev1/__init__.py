"""Messages of IKE version 1. RFC 2407, 2408, 2409, 3706 and 3947."""
