"""What runs in the user's process. Standard library only until the user's code imports more."""
