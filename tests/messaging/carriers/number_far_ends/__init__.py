"""The number resources of carriers' APIs, for tests: state, and answers as the carriers give them.

They share no code with the product. `base.Calls` answers in this process, `serve.py` as one of its
own.
"""
