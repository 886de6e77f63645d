"""How hard a table is to learn: diameters, mixing times, gaps, and the card that gathers them."""
