"""The parts of a report's page that are words and tables: computed here, written by a template."""
