"""Spark for rows, images and training, with the TensorFlow kernel in its Python workers."""
