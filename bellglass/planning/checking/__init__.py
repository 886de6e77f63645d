"""Is an answer right?  If not: the first wrong state, its Bellman sum written out, and the likeliest mistake."""
