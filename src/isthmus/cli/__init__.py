"""The command line: one file per verb. Modules here import little, so that a verb starts at once."""
