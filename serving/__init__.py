"""Store, server, launchers, clients: everything after training. Knows nothing of TFX."""
