"""Experiments: recipes, run alone or as suites; `tuning` searches over them."""

from fairage.experiments.backbone_comparison import compare_backbones
from fairage.experiments.plan import RunOptions, SuiteOutcome
from fairage.experiments.recipe import Recipe
from fairage.experiments.recipe_files import read_recipe, shipped_recipes, suite_names
from fairage.experiments.suite import run_suite

__all__ = [
    "Recipe",
    "RunOptions",
    "SuiteOutcome",
    "compare_backbones",
    "read_recipe",
    "run_suite",
    "shipped_recipes",
    "suite_names",
]
