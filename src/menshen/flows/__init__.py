"""Define the use cases: async functions over ports, one in each file. They know neither the wire nor any adapter."""
