"""The registry's pages on the desk: look-up, assets, chains, flags. Reading and asking; services write."""
