"""The variants, the reference methods beside them, and the artifact of all variants."""
