"""`serai setup`: a model that answers, and a first agent (SPEC 12).

`command` goes through the steps; `given` holds what the command line has said, `model` and `key` find out which model
is meant, `trial` calls it once, `agent` begins the agent. Nothing is written before the model has answered.
"""
