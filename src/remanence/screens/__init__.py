"""What is looked for in a text before it is kept: secrets."""
