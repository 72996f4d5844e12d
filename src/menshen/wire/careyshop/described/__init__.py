"""Describe the calls as data: their parameters and answers, and the OpenAPI document that is made of them.

`fields` and `answers` stand beside the calls that use them. Only `openapi` reads all of it, when it is first asked for.
"""
