"""What a query asks for: scans, joins, filters, inference, training; and the rules that rewrite it."""
