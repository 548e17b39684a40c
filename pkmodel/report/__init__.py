"""What people read: the comparison table, the model in words and numbers, lists of parameters."""
