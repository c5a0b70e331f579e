"""Networks, each readable on one screen."""
