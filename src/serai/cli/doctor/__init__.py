"""`serai doctor`: what is wrong with a home, each with the command that mends it (SPEC 12).

`command` prints what `examine` has collected; the other modules hold the checks, by what they look at. A check takes
the `Patient` and gives findings; it asks nobody and changes nothing.
"""
