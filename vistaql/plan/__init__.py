"""Plans as values: nodes, the driver of rewrites, and the graph of a workload."""
