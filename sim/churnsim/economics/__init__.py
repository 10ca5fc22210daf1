"""The arithmetic of customers: the exact formulas of the course and of the CRM literature.

Small pure functions, one file per subject. They take numbers or arrays and give the same back; nothing
here knows of a scenario or a run. Money is in any one currency, rates are shares of 1 per tick (not per
cent), and one tick is whatever the rates are measured in.

Every function raises ``ValueError`` for input that cannot be: the message names the function, the
argument, what was found and what is allowed. "course S78" is the course's concept of that number.
"""
