"""The platform contract as tables: `python -m tests.contract` plays it and writes docs/contract.md."""
