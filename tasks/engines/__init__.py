"""Ways to run the same training; all give the same bits."""
