"""The models themselves, how they answer, and how they are saved and loaded; they are fitted elsewhere."""
