"""Having AI tools propose better plans: the parts of planning and of the tool side put together."""
