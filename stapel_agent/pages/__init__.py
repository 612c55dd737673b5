"""What staff see in the admin: the list of the ledger's rows, and the page of usage."""
