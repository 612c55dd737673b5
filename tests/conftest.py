"""Fixtures common to all tests."""

pytest_plugins = ["stapel_agent.testing"]
