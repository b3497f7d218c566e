"""Tests of what runs in processes of its own: commands, servers, signals, clusters, browsers."""
