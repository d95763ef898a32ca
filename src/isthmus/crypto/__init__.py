"""Keys and algorithms: one door to the cryptographic library. Neither reads nor writes messages."""
