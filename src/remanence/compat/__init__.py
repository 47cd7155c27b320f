"""Classes that other packages have, under the names they have there, on this memory."""
