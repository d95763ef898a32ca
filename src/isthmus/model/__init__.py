"""The nouns: values that every other package speaks in. Nothing here does anything."""
