"""Images as features: decoded once, when the data is read."""
