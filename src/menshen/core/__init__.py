"""Hold decisions and records. They use no await, no clock, no random numbers and no I/O.

All code here is pure functions and frozen records. Instants are epoch milliseconds.
"""
