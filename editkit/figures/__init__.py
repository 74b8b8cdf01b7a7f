"""What people look at, drawn from nouns: curves, bars, heat-maps; readable in grey."""
