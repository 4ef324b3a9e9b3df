"""Readers of tables and images: what is there, and how it is read. Heavy modules are imported where they are needed."""
