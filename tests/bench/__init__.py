"""`make bench`: what the site costs, each figure as a ratio to a yardstick of the same run."""
