"""What an agent is worth while it learns, exactly where the table is known."""
