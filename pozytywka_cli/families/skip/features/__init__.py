"""What the models read: what is known when a track starts, and the genres of user and artist."""

PARAMETERS = "model.json"  # the file in which a model keeps what it reads, or all that it is
