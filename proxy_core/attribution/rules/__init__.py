"""Wire markers as data: for each client and version, which words open which kind of content."""
