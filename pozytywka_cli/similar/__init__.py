"""Which artists are like this one?"""
