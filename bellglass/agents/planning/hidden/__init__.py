"""Planning where the state is not seen: tables of beliefs, bounds on what is beyond them, the information ladder."""
