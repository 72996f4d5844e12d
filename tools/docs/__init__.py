"""Write the tables of the docs from the code: `make docs`. (Decision 0042.)

A page marks a place with `<!-- begin: NAME -->` and `<!-- end -->`. The file of that name in `tables` writes what
stands between them. The sentences of a page belong to its authors.
"""
