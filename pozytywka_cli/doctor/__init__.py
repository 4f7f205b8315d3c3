"""What this machine can do, and what is missing. No model library is imported but to ask it for a GPU that is there."""
