"""A believable golf club to look around in: people, a year of play, campaigns and their results.

Everything arrives as events would, through the same doors, so what the demo shows is what the
product does. The same seed on the same day tells the same story.
"""
