"""What the vendors share on the wire: HTTP, its limits and errors, threads and processes."""
