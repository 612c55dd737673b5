"""Foreign text, made fit to be quoted in a prompt. Needs nothing of Django, nor of the rest of this package."""
