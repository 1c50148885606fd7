"""What carries the course: set-up, working copies, progress, copyable code and the tools for notebooks."""
