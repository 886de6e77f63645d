"""What a solver found: numbers that print, draw and save themselves."""
