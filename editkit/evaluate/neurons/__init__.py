"""What located neurons are worth: pure functions of rankings, and of what is said with and without them.

Pan et al. 2024 (arXiv 2311.07470) name most of these metrics; where they leave a definition open, each file
says which part of it is ours.
"""
