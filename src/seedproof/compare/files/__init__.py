"""Files that two runs wrote, compared byte for byte; what they hold is read as data, never run."""
