"""Train on rows that stay on disk where they would not fit in memory: with the same bits."""
