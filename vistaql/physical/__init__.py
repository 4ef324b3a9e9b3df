"""How a query runs: passes and operators, each with its size, its resources, and its run in engine verbs."""
