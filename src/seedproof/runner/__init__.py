"""What carries out launches: this machine's processes, behind a face that others can have too."""
