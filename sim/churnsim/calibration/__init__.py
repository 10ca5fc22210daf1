"""Calibration: from data to a scenario with uncertainty (`fit`), and from there to forecasts (`predict`).

Three kinds of data are understood (`formats`): tables of retention by period, panels of choices with prices, and logs
of purchases. Each is fitted with the model's own mechanisms, so that the estimates are parameters of a scenario.
"""
