"""Beam's --setup_file wants a setup.py; everything it says is in pyproject.toml."""

from setuptools import setup

setup()
