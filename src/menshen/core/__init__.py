"""Decisions and records: no await, no clock, no chance, no I/O.

Everything here is a pure function or a frozen record. Instants are epoch milliseconds.
"""
