"""Dense and recurrent networks: plain torch modules, handed to agents."""
