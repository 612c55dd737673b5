"""Transport that the providers share: HTTP, its limits and errors, threads and processes."""
