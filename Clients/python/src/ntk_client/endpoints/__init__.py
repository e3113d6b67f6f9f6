"""The server's endpoints as methods, a file a resource."""
