"""Where IPsec SAs live and packets are protected."""
