"""Use cases: async functions over ports, one to a file. They know neither the wire nor any adapter."""
