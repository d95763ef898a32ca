"""The running gateway over HTTP on a UNIX socket. The CLI is one of its clients."""
