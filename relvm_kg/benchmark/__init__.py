"""Splits, one evaluator, and the contenders."""
