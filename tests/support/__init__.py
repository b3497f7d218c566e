"""What tests share: builders, runs, processes, servers, clusters."""
