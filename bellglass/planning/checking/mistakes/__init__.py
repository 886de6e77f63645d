"""What commonly goes wrong, and what numbers would come of it: guesses to hold an answer against."""
