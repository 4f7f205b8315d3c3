"""Checks of this machine: CPU, memory, GPU, extras, data and models."""
