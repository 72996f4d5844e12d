"""Store what must not be lost. These adapters know core and ports, never adapters of another kind."""
