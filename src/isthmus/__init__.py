"""Isthmus: an IPsec site-to-site VPN gateway."""

__version__ = "0.1.0"
