"""What the models read: what is known when a track starts, and the genres of user and artist."""
