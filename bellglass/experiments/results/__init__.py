"""The results folder: written whole or not at all, claimed by locks, read back."""
