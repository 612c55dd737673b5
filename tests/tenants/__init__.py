"""An app of a host with django-tenants: its tenants and their domains."""
