"""Will this track be played to its end?"""
