"""Studies: what is varied, run, kept, and made of it; plan, execution, store and analysis are separate."""
