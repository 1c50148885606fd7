"""A plugin that pytest loads first: leave out what takes a second of every process and serves no test.

jsonschema, which reads notebooks, would compile a grammar for addresses with letters outside of ASCII; none is checked here.
"""
import sys

sys.modules.setdefault("rfc3987_syntax", None)             # "not installed"
