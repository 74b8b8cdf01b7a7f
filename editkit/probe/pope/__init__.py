"""Yes/no questions about objects: read from the published files, or made out of what pictures show."""
