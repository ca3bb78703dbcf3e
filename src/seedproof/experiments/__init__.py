"""The reference experiment, the data it trains on, and the text files it leaves."""
