"""What a notebook calls. No file here is named like a public call, which it would shadow."""
