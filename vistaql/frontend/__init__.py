"""From text to bound queries: source, AST, parser, printer, binder."""
