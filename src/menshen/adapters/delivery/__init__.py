"""Hold senders, one file a type, in `sms` and `email`. The settings name them by the names of their files.

Each file owns `Settings`, its keys in the settings, and `build(settings, outward)`, which makes the sender.
"""
