"""The inputs of the models, for training and for prediction: features of a play, genres of user and artist."""
