"""Answers to every exercise, right and wrong, as learners write them.

Each module holds one exercise: ``ID``, ``RIGHT`` (functions that keep the contract, in different
styles) and ``WRONG`` (functions that look right, each with a part of the message meant for it).
"""
