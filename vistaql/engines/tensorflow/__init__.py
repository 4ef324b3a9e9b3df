"""The CNN kernel: TensorFlow is loaded by the first call that needs it, never by an import."""
