"""Senders, one file a type: `sms` and `email` hold them, and the settings name them by the names of their files.

Each file owns `Settings`, its keys in the settings, and `build(settings, outward)`, which makes the sender.
"""
