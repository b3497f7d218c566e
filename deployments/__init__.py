"""What a server, a worker and a cluster need to run the flows."""
