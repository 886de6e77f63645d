"""How states look: pixels, letters, maps and graphs, drawn with NumPy alone."""
