"""How outcomes look: text for screens and pipes, JSON, CSV and Markdown for programs, HTML for notebooks."""
