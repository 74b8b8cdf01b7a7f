"""Published parts -> a checkpoint folder, for models that nobody publishes as one."""
