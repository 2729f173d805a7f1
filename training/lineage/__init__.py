"""What was made from whose words, all the way; deleting it, and telling people about theirs."""
