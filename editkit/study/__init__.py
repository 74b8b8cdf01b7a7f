"""Many runs of the pipeline, or of its first half, side by side."""
