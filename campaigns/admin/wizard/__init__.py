"""The form of a campaign, step by step: each is saved by itself and has its own address."""
