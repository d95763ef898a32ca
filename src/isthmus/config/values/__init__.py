"""The kinds of value that an option takes: how it is read, described and written."""
