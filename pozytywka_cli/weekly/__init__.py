"""How long will each artist be listened to next week?"""
