"""Where plans run: dataflow engines, and the TensorFlow kernel they share."""
