"""The comparison report: one HTML page, Markdown, JSON and CSV."""
