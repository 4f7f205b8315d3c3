"""What the features of the next play need of all earlier ones, as sums for each user that events keep up to date."""
