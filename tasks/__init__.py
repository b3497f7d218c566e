"""The rooms of foldproof: every step of a cross-validation, one concept a module.

Data flows one way and imports only point upstream:
config -> data -> folds -> fitting -> metrics -> reduce -> report.
"""
