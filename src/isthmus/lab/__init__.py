"""Sites on one machine: network namespaces, wires between them, real gateway processes, and proof of what crossed."""
