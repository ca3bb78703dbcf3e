"""One dumb presenter per output. They read outcomes and decide nothing."""
