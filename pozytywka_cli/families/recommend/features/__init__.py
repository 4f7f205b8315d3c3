"""What is known of tracks and users at a moment."""
