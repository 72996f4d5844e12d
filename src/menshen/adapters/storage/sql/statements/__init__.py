"""Hold every statement of the program, in plain SQL, and the reader that hands it to a driver. (Decision 0034.)"""
