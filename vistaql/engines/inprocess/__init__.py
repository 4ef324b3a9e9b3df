"""The embedded engine: DuckDB for rows, TensorFlow in this process, scikit-learn for training."""
