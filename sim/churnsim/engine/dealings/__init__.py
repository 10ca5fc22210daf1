"""Dealings between firms and customers beyond the stay: contacts, failures, points, offers, employees, referral.

Rules of single customers, written once: compiled in a loop over customers, or interpreted one customer at a time
by the agents engine. None of it exists in a market that uses none of these mechanisms (docs/decisions/0008).
"""
