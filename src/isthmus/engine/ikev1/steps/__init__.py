"""The concerns of the IKE version 1 exchanges, one a file."""
