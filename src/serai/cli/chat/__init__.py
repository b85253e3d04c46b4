"""`serai chat`: a conversation with an agent of the running gateway, in the terminal (SPEC 12).

`command` puts it together, `loop` takes turns, `conversation` asks the gateway, `slash` has the commands, `reader` is
where lines come from and `screen` where answers go.
"""
