"""The concerns of the IKEv2 exchanges, one a file."""
