"""Remanence: memory for agents that stays when the session ends."""
