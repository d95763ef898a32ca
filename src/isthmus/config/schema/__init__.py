"""The nouns of the configuration, one file each: every option with its range, its default and its help, once."""
