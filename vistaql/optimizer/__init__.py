"""Which plan: the machine, configurations, memory, cost, enumeration, choice."""
